"""The columns of a measured table, in their order, with their types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ohmnas.spaces.genes import GENE_NAMES
from ohmnas.spaces.hardware import TECHNOLOGIES, Hardware

SCHEMA_VERSION: Final = 4
"""Of tables and stores; a reader refuses a newer one and upgrades an older one."""
PROTOCOL_VERSION: Final = 4
"""Of how a row is measured: training recipe, programming, reading. Rows of different versions never mix.

3: digits are trained without shifts. 4: smaller batches, learned input ranges, images shifted one by one; the digital
accuracy has batch norm statistics of its own; each chip is read twice after a day.
"""

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
SPREAD_COLUMNS: Final = ("spread_flips", "spread_read", "spread_chip")
"""Parts of the variance over chips of the accuracy after a day (`analog.spread`), in squared fractions: independent
flips of single images, read noise, and what a chip keeps. Rows before protocol 4 have none."""
CURVE_COLUMNS: Final = ("loss_curve", "accuracy_curve")
"""Learning curves as text (`curve`): mean training loss of each epoch, and accuracies of one chip after some epochs.
Rows before protocol 4 have none."""
HARDWARE_COLUMNS: Final = tuple(Hardware().settings())
EFFORT_COLUMNS: Final = ("protocol", "epochs", "batch", "train_images", "validation_images", "resolution", "chips")
"""protocol: `PROTOCOL_VERSION`; batch: images a step; resolution: the longer side of the images in pixels."""
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
    *SPREAD_COLUMNS,
    *SETTING_COLUMNS,
    *SECONDS_COLUMNS,
    *COMPUTING_COLUMNS,
    *CURVE_COLUMNS,
    "reason",
)
TEXT_COLUMNS: Final = (
    "task",
    "hardware",
    "fidelity",
    "status",
    "technology",
    *COMPUTING_COLUMNS,
    *CURVE_COLUMNS,
    "reason",
)
INTEGER_COLUMNS: Final = ("seed", *GENE_NAMES, *COST_COLUMNS, *EFFORT_COLUMNS)
FLOAT_COLUMNS: Final = (*ACCURACY_COLUMNS, *SPREAD_COLUMNS, *HARDWARE_COLUMNS, *SECONDS_COLUMNS)

Value = str | int | float | None
Row = dict[str, Value]
"""One measurement: a value for each of `COLUMNS`; None where a failed measurement has none."""


def added_since(version: int, hardware: str) -> Row:
    """The values of the columns that rows of an older schema lack.

    Schema 1 had rows of the digits only, on the presets and on chips of their devices; all before schema 3 are float32;
    all before schema 4 were trained in batches of 128 and have neither learning curves nor parts of the spread.
    """
    added: Row = {}
    if version < 2:
        technology = hardware if hardware in TECHNOLOGIES else "pcm"
        added |= {"technology": technology, "protocol": 2, "resolution": 8}
    if version < 3:
        added |= {"precision": "float32"}
    if version < 4:
        added |= {
            "batch": 128,
            "hw_batch_norm": 0.0,
            **dict.fromkeys(SPREAD_COLUMNS),
            **dict.fromkeys(CURVE_COLUMNS, ""),
        }
    return added


def curve(points: Mapping[int, float]) -> str:
    """A learning curve as text: ``epoch:value`` pairs, in the order of epochs."""
    return " ".join(f"{epoch}:{value:.6g}" for epoch, value in sorted(points.items()))


def points(text: str) -> dict[int, float]:
    """Epoch -> value of a learning curve; the inverse of `curve`, to six digits.

    Raises:
        ValueError: the text is no learning curve.
    """
    found = {}
    for pair in text.split():
        epoch, value = pair.split(":")
        found[int(epoch)] = float(value)
    if list(found) != sorted(found) or any(epoch < 1 for epoch in found) or len(found) != len(text.split()):
        raise ValueError(f"epochs of a learning curve must rise from 1 on, not {', '.join(map(str, found))}")
    return found
