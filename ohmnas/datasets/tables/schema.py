"""Columns of a measured table, their order and types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ohmnas.hardware import TECHNOLOGIES, Hardware
from ohmnas.hardware.chip_genes import CHIP_GENE_NAMES

SCHEMA_VERSION: Final = 4
"""Version of tables and stores. Newer files are rejected, and older files are upgraded."""
PROTOCOL_VERSION: Final = 4
"""Version of the measurement: training recipe, programming, reading. Rows of different versions are never mixed.

3: digits are trained without shifts. 4: smaller batches, learned input ranges, images shifted one by one; the digital
accuracy has its own batch norm statistics; each chip is read twice after a day.
"""

TIMES: Final = ("1s", "1h", "1d", "1mo")
KEY_COLUMNS: Final = ("task", "hardware", "fidelity", "seed")
"""Identity of a row, together with the genome; unique in a table."""
COST_COLUMNS: Final = ("params", "macs")
ACCURACY_COLUMNS: Final = (
    "accuracy_digital",
    *(name for time in TIMES for name in (f"accuracy_{time}", f"accuracy_{time}_std")),
    "avm",
    "avm_std",
)
"""Means and standard deviations (n-1) over the chips; avm is accuracy_1s - accuracy_1mo, chip by chip."""
SPREAD_COLUMNS: Final = ("spread_flips", "spread_read", "spread_chip")
"""Components of the variance over chips of the 1-day accuracy (`analog.spread`), in squared fractions: independent
flips of single images, read noise, and permanent differences between chips. Rows before protocol 4 lack them."""
CURVE_COLUMNS: Final = ("loss_curve", "accuracy_curve")
"""Learning curves as text (`curve`): mean training loss per epoch, and accuracies of one chip after some epochs.
Rows before protocol 4 lack both. Training runs of one epoch or with aihwkit have no accuracies."""
HARDWARE_COLUMNS: Final = tuple(Hardware().settings())
EFFORT_COLUMNS: Final = ("protocol", "epochs", "batch", "train_images", "validation_images", "resolution", "chips")
"""protocol: `PROTOCOL_VERSION`; batch: images per step; resolution: longer side of the images in pixels."""
SETTING_COLUMNS: Final = ("technology", *HARDWARE_COLUMNS, *EFFORT_COLUMNS)
"""Columns that are equal for all rows with the same hardware and fidelity."""
SECONDS_COLUMNS: Final = ("train_seconds", "drift_seconds")
VERSION_COLUMNS: Final = ("ohmnas_version", "torch_version", "aihwkit_version")
SOFTWARE_COLUMNS: Final = (*VERSION_COLUMNS, "precision")
"""Software and precision of a row. precision: number format of the convolutions, one of `PRECISIONS`."""
GPU_PRECISION: Final = "tf32"
"""Only GPUs use it: they round inputs of multiplications to the 10-bit mantissa of TensorFloat-32."""
PRECISIONS: Final = ("float32", "bfloat16", GPU_PRECISION)

STATUS_OK: Final = "ok"
STATUS_FAILED: Final = "failed"
STATUS_STOPPED: Final = "stopped"
"""Status of a training run that was stopped early by comparison: the row has learning curves but no accuracies."""
STATUSES: Final = (STATUS_OK, STATUS_FAILED, STATUS_STOPPED)

_BEFORE_GENES: Final = (*KEY_COLUMNS, "status")
_AFTER_GENES: Final = (
    *COST_COLUMNS,
    *ACCURACY_COLUMNS,
    *SPREAD_COLUMNS,
    *SETTING_COLUMNS,
    *SECONDS_COLUMNS,
    *SOFTWARE_COLUMNS,
    *CURVE_COLUMNS,
    "reason",
)
TEXT_COLUMNS: Final = (
    "task",
    "hardware",
    "fidelity",
    "status",
    "technology",
    *SOFTWARE_COLUMNS,
    *CURVE_COLUMNS,
    "reason",
)
INTEGER_COLUMNS: Final = ("seed", *COST_COLUMNS, *EFFORT_COLUMNS)
"""Integer columns except the genes."""
FLOAT_COLUMNS: Final = (*ACCURACY_COLUMNS, *SPREAD_COLUMNS, *HARDWARE_COLUMNS, *SECONDS_COLUMNS)

Value = str | int | float | None
Row = dict[str, Value]
"""One measurement: a value for each of `columns`; None for values that a failed or stopped measurement lacks."""
_NO_GENES: Final = frozenset((*_BEFORE_GENES, *_AFTER_GENES, *CHIP_GENE_NAMES))


def columns(genes: Sequence[str]) -> tuple[str, ...]:
    """Return all columns of a table, in order, for these genes."""
    return (*_BEFORE_GENES, *genes, *_AFTER_GENES)


def gene_columns(names: Iterable[str]) -> tuple[str, ...]:
    """Return the gene columns of a table, a store or a row."""
    return tuple(name for name in names if name not in _NO_GENES)


def added_since(version: int, hardware: str) -> Row:
    """Return the values of the columns that rows of an older schema lack.

    All rows of schema 1 are for digits, and chips that are not named after a technology have pcm devices. Rows before
    schema 3 are float32. Rows before schema 4 were trained in batches of 128, and have neither learning curves nor
    components of the spread.
    """
    added: Row = {}
    if version < 2:
        technology = hardware if hardware in TECHNOLOGIES.own else "pcm"
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
    """Format a learning curve as text: ``epoch:value`` pairs, in order of epoch."""
    return " ".join(f"{epoch}:{value:.6g}" for epoch, value in sorted(points.items()))


def points(text: str) -> dict[int, float]:
    """Epoch -> value of a learning curve; the inverse of `curve`, to six digits.

    Raises:
        ValueError: the text is not a learning curve.
    """
    found = {}
    for pair in text.split():
        epoch, value = pair.split(":")
        found[int(epoch)] = float(value)
    if list(found) != sorted(found) or any(epoch < 1 for epoch in found) or len(found) != len(text.split()):
        raise ValueError(f"epochs of a learning curve must increase from 1, not {', '.join(map(str, found))}")
    return found
