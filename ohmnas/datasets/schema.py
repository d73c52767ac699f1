"""The columns of a measured table, in their order, with their types."""

from __future__ import annotations

from typing import Final

from ohmnas.spaces.genes import GENE_NAMES
from ohmnas.spaces.hardware import TECHNOLOGIES, Hardware

SCHEMA_VERSION: Final = 3
"""Of tables and stores; a reader refuses a newer one and upgrades an older one."""
PROTOCOL_VERSION: Final = 3
"""Of how a row is measured: training recipe, programming, reading. Another one is another measurement, and rows of
different ones never mix. 3: the digits are trained without shifts."""

TIMES: Final = ("1s", "1h", "1d", "1mo")
KEY_COLUMNS: Final = ("task", "hardware", "fidelity", "seed")
"""With the genome, what a row is a measurement of: no two rows of a table share it."""
COST_COLUMNS: Final = ("params", "macs")
ACCURACY_COLUMNS: Final = (
    "accuracy_digital",
    *(name for time in TIMES for name in (f"accuracy_{time}", f"accuracy_{time}_std")),
    "avm",
    "avm_std",
)
"""Means and standard deviations (n-1) over the chips; avm is accuracy_1s - accuracy_1mo, chip by chip."""
HARDWARE_COLUMNS: Final = tuple(Hardware().settings())
EFFORT_COLUMNS: Final = ("protocol", "epochs", "train_images", "validation_images", "resolution", "chips")
"""protocol: `PROTOCOL_VERSION`; resolution: the longer side of the images in pixels."""
SETTING_COLUMNS: Final = ("technology", *HARDWARE_COLUMNS, *EFFORT_COLUMNS)
"""What all rows of one hardware and one fidelity name share."""
SECONDS_COLUMNS: Final = ("train_seconds", "drift_seconds")
VERSION_COLUMNS: Final = ("ohmnas_version", "torch_version", "aihwkit_version")
COMPUTING_COLUMNS: Final = (*VERSION_COLUMNS, "precision")
"""With what a row was computed. precision: the number format of the convolutions, one of `PRECISIONS`."""
GPU_PRECISION: Final = "tf32"
"""A GPU multiplies what is rounded to the 10 bits of TensorFloat-32; no CPU does."""
PRECISIONS: Final = ("float32", "bfloat16", GPU_PRECISION)

STATUS_OK: Final = "ok"
STATUS_FAILED: Final = "failed"

COLUMNS: Final = (
    *KEY_COLUMNS,
    "status",
    *GENE_NAMES,
    *COST_COLUMNS,
    *ACCURACY_COLUMNS,
    *SETTING_COLUMNS,
    *SECONDS_COLUMNS,
    *COMPUTING_COLUMNS,
    "reason",
)
TEXT_COLUMNS: Final = ("task", "hardware", "fidelity", "status", "technology", *COMPUTING_COLUMNS, "reason")
INTEGER_COLUMNS: Final = ("seed", *GENE_NAMES, *COST_COLUMNS, *EFFORT_COLUMNS)
FLOAT_COLUMNS: Final = (*ACCURACY_COLUMNS, *HARDWARE_COLUMNS, *SECONDS_COLUMNS)

Value = str | int | float | None
Row = dict[str, Value]
"""One measurement: a value for each of `COLUMNS`; None where a failed measurement has none."""


def added_since(version: int, hardware: str) -> Row:
    """The values of the columns that rows of an older schema lack.

    Schema 1 had rows of the digits only, on the presets and on chips of their devices; all before schema 3 are float32.
    """
    added: Row = {}
    if version < 2:
        technology = hardware if hardware in TECHNOLOGIES else "pcm"
        added |= {"technology": technology, "protocol": 2, "resolution": 8}
    if version < 3:
        added |= {"precision": "float32"}
    return added
