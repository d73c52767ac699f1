"""Export trained networks to PyTorch, ONNX, aihwkit and the Hugging Face hub. Exporters are in a registry."""

from typing import TYPE_CHECKING

from ohmnas.lazy import attach

if TYPE_CHECKING:
    from ohmnas.export.catalogue import EXPORTERS, Exported, Exporter, export
else:
    __getattr__, __dir__ = attach(
        __name__, dict.fromkeys(("EXPORTERS", "Exported", "Exporter", "export"), "ohmnas.export.catalogue")
    )

__all__ = ["EXPORTERS", "Exported", "Exporter", "export"]
