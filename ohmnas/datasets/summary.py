"""What a measured table shows, as data frames: spread, how the labels hang together, which choices matter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pandas as pd

from ohmnas.datasets.table import MeasuredTable, genomes
from ohmnas.spaces.architecture import Architecture, MainBlock
from ohmnas.spaces.hardware import kind_of

LABELS = ("accuracy_1d", "accuracy_1d_std", "avm")
QUANTILES = (0.05, 0.5, 0.95)
LEARNED = 2.0
"""A network has learned something if its 1-day accuracy is above so many times chance."""


def spread(table: MeasuredTable, hardware: str | None = None) -> pd.DataFrame:
    """How far the labels of each chip, fidelity and seed spread; chips that are varied from a preset count together.

    Args:
        table: all rows, failed ones too.
        hardware: this chip alone, or those of this kind, such as ``varied-pcm``.

    Returns:
        A row for each; `rows`, `failed`, `given_up` (trainings whose loss never left chance), then for each of `LABELS`
        its 5 %, 50 % and 95 % quantile as ``<label>_5``, ``_50`` and ``_95``, fractions.
    """
    found = []
    frame = _of_kinds(table, hardware).frame
    frame = frame if hardware is None else frame[frame["hardware"] == hardware]
    for key, rows in frame.groupby([frame["hardware"].map(kind_of), "fidelity", "seed"]):
        measured = rows[rows["status"] == "ok"]
        row = dict(zip(("hardware", "fidelity", "seed"), key, strict=True))
        row.update(rows=len(rows), failed=len(rows) - len(measured))
        row["given_up"] = int(measured["reason"].fillna("").str.startswith("given up").sum())
        for label in LABELS:
            for q in QUANTILES:
                row[f"{label}_{100 * q:.0f}"] = float(measured[label].quantile(q)) if len(measured) else float("nan")
        found.append(row)
    return pd.DataFrame(found)


def learned(table: MeasuredTable, hardware: str | None = None, fidelity: str | None = None) -> pd.DataFrame:
    """The rows of one chip, or kind of chips, whose networks are above `LEARNED` times chance after one day.

    Of two classes, where that is beyond everything, those halfway between chance and 1. Chosen as by
    `MeasuredTable.select`; a kind is what `spread` counts together, such as ``varied-pcm``.
    """
    rows = _of_kinds(table, hardware).select(hardware, fidelity)
    chance = 1 / table.card["classes"]
    above: pd.DataFrame = rows[rows["accuracy_1d"] > min(LEARNED * chance, (1 + chance) / 2)]
    return above


def _of_kinds(table: MeasuredTable, hardware: str | None) -> MeasuredTable:
    """The table whose chips are called by their kind, unless one chip is meant that was varied."""
    names = table.frame["hardware"]
    kinds = names.map(kind_of)
    return (
        table if (names[kinds != names] == hardware).any() else replace(table, frame=table.frame.assign(hardware=kinds))
    )


def choices(table: MeasuredTable, rows: pd.DataFrame) -> pd.DataFrame:
    """What the architectures of some rows chose, one column for each kind of choice.

    Returns:
        ``(n, c)`` with the index of `rows`: `params`, `macs`, `depth` (weight layers), `main_blocks`, `stem_channels`,
        `stem_kernel`, `last_channels`, `branches` (mean over residual blocks), `bottleneck` and `skip` (share of the
        residual blocks).
    """
    described = [_described(one) for one in table.space.decode(genomes(rows))]
    costs: pd.DataFrame = rows[["params", "macs"]]
    return costs.join(pd.DataFrame(described, index=rows.index))


def _described(one: Architecture) -> dict[str, float]:
    total = sum(block.residual_blocks for block in one.blocks)

    def share(of: Callable[[MainBlock], int]) -> float:
        """The mean over residual blocks, exact where all are alike."""
        return sum(block.residual_blocks * of(block) for block in one.blocks) / total

    return {
        "depth": one.depth,
        "main_blocks": len(one.blocks),
        "stem_channels": one.stem_channels,
        "stem_kernel": one.stem_kernel,
        "last_channels": one.channels[-1],
        "branches": share(lambda block: block.branches),
        "bottleneck": share(lambda block: block.conv_type == "B"),
        "skip": share(lambda block: block.skip),
    }


def relations(table: MeasuredTable, rows: pd.DataFrame) -> pd.DataFrame:
    """Kendall's tau of each choice, and of each label, with each label over some rows.

    Returns:
        Index: `LABELS` and the columns of `choices`; columns: `LABELS`. NaN where one of the two never varies.
    """
    together = rows[list(LABELS)].join(choices(table, rows))
    return together.corr(method="kendall").loc[:, list(LABELS)]


GROUPS: Final[dict[str, tuple[list[float], list[str]]]] = {
    "skip": ([-0.01, 0.0, 0.999, 1.0], ["in no block", "in some", "in all"]),
    "bottleneck": ([-0.01, 0.0, 0.999, 1.0], ["basic blocks only", "both kinds", "bottlenecks only"]),
    "depth": ([0, 10, 20, 40, 1000], ["to 10", "11 to 20", "21 to 40", "41 on"]),
    "branches": ([0, 1, 4, 12], ["1", "to 4 on average", "more"]),
    "stem_kernel": ([0, 3, 5, 7], ["3x3", "5x5", "7x7"]),
}
"""Choice -> edges of its groups, the upper one included, and what they are called."""


def groups(table: MeasuredTable, hardware: str | None = None, fidelity: str | None = None) -> pd.DataFrame:
    """The labels of one chip, or kind of chips (as in `learned`), by groups of what its architectures chose.

    Returns:
        A row for each group of `GROUPS` that is not empty: `choice`, `group`, `rows`, `learned` (share of the rows),
        and of those that learned the medians of `LABELS`.
    """
    rows, above = _of_kinds(table, hardware).select(hardware, fidelity), learned(table, hardware, fidelity)
    chosen = choices(table, rows)
    found = []
    for choice, (edges, names) in GROUPS.items():
        place = pd.cut(chosen[choice], edges, labels=names)
        for name in names:
            index = rows.index[place == name]
            if len(index):
                those = above.loc[above.index.intersection(index)]
                medians = {label: float(those[label].median()) for label in LABELS}
                share = len(those) / len(index)
                found.append({"choice": choice, "group": name, "rows": len(index), "learned": share, **medians})
    return pd.DataFrame(found)
