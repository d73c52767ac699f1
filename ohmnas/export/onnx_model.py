"""Export to ONNX with torch's exporter. The export fails unless onnxruntime reproduces the network's outputs."""

from __future__ import annotations

import io
import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ohmnas.errors import MissingDependencyError
from ohmnas.export.catalogue import Exported
from ohmnas.export.plain_torch import compared, plain_network, random_images

if TYPE_CHECKING:
    from ohmnas.datasets.campaign.trained import TrainedNetwork

MODEL: Final = "network.onnx"
_INPUT, _OUTPUT = "images", "logits"


@contextmanager
def _without_messages() -> Iterator[None]:
    """Inside the block, torch's exporter prints no messages or warnings."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)


def export_onnx(trained: TrainedNetwork, folder: Path) -> Exported:
    """Write `MODEL`: ``images (batch, channels, height, width)`` -> ``logits (batch, classes)``, both float32.

    The model expects raw pixels, as stored in the task's files. The batch size is dynamic.

    Raises:
        MissingDependencyError: onnx, onnxscript or onnxruntime is not installed.
        InvalidValueError: a module cannot be written as plain code, or outputs differ by more than
            `catalogue.TOLERANCE`.
    """
    try:
        import onnx
        import onnxruntime
        import onnxscript  # noqa: F401 - torch's exporter needs it
    except ImportError as error:
        raise MissingDependencyError.of(
            "the onnx exporter needs onnx, onnxscript and onnxruntime", "export", error
        ) from error
    import torch

    with tempfile.TemporaryDirectory() as aside:
        network, _ = plain_network(trained, Path(aside))
    path = folder / MODEL
    with _without_messages():
        torch.onnx.export(
            network,
            (random_images(trained),),
            str(path),
            input_names=[_INPUT],
            output_names=[_OUTPUT],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            external_data=False,
            optimize=False,  # onnxscript 0.7 fuses a ReLU with clamps into nodes in the wrong order
            dynamo=True,
            verbose=False,
        )
    model = onnx.load(str(path))
    model.producer_name = "ohmnas"
    values = {"task": trained.task, "architecture": str(trained.architecture), "chip": trained.chip.name}
    onnx.helper.set_model_props(model, values)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def run(images: Any) -> Any:
        """Outputs for the images, in two batches of different sizes, to check that the batch size is dynamic."""
        parts = [session.run([_OUTPUT], {_INPUT: part.numpy()})[0] for part in (images[:1], images[1:])]
        return np.concatenate(parts)

    difference = compared(trained, run, torch.float32)
    use = (
        "python -c 'import onnxruntime, sys; print(onnxruntime.InferenceSession(sys.argv[1]).get_inputs()[0])' "
        f"{{out}}/{MODEL}"
    )
    return Exported(difference, use)
