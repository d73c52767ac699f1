"""Summaries of a measured table as data frames: distributions, rank correlations, effects of choices."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from ohmnas.datasets.tables.table import MeasuredTable, genomes
from ohmnas.hardware import kind_of

LABELS = ("accuracy_1d", "accuracy_1d_std", "avm")
"""Labels of tables that ohmnas measured."""
QUANTILES = (0.05, 0.5, 0.95)
LEARNED = 2.0
"""A network is well above chance if its 1-day accuracy is above this multiple of chance (see `learned`)."""

_MOST_SEEDS = 20
"""Tables with more seeds, as for isomorphic cells, have one summary for all seeds."""


def labels(table: MeasuredTable) -> list[str]:
    """Return the columns to summarise: the targets of the table's surrogate."""
    return [one.name for one in table.targets]


def spread(table: MeasuredTable, hardware: str | None = None) -> pd.DataFrame:
    """Return the distribution of the labels for each chip, fidelity and seed; variants of a preset count as one chip.

    Args:
        table: the table, including its failed rows.
        hardware: name of a chip, or of a kind of chip such as ``varied-pcm``; None is all chips.

    Returns:
        One row for each chip, fidelity and seed. `rows`, `failed`, `stopped` (early, by comparison) and `given_up`
        (training runs whose loss stayed at chance level) are numbers of rows. ``<label>_5``, ``<label>_50`` and
        ``<label>_95`` are the 5 %, 50 % and 95 % quantiles of each of `labels`, as fractions.
    """
    found = []
    frame = _of_kinds(table, hardware).frame
    frame = frame if hardware is None else frame[frame["hardware"] == hardware]
    seeds = frame["seed"] if frame["seed"].nunique() <= _MOST_SEEDS else f"0 to {frame['seed'].max()}"
    for key, rows in frame.assign(seed=seeds).groupby([frame["hardware"].map(kind_of), "fidelity", "seed"]):
        measured = rows[rows["status"] == "ok"]
        row = dict(zip(("hardware", "fidelity", "seed"), key, strict=True))
        row.update(rows=len(rows), **{name: int((rows["status"] == name).sum()) for name in ("failed", "stopped")})
        row["given_up"] = int(measured["reason"].fillna("").str.startswith("given up").sum())
        for label in labels(table):
            for q in QUANTILES:
                row[f"{label}_{100 * q:.0f}"] = float(measured[label].quantile(q)) if len(measured) else float("nan")
        found.append(row)
    return pd.DataFrame(found)


def learned(table: MeasuredTable, hardware: str | None = None, fidelity: str | None = None) -> pd.DataFrame:
    """Return the rows of one chip, or kind of chip, that are well above chance after one day (`LEARNED`).

    With two classes, where `LEARNED` times chance is 1, the threshold is halfway between chance and 1. Rows are
    selected as in `MeasuredTable.select`; a kind is a group of `spread`, such as ``varied-pcm``.
    """
    rows = _of_kinds(table, hardware).select(hardware, fidelity)
    chance = 1 / table.card["classes"]
    above: pd.DataFrame = rows[rows["accuracy_1d"] > min(LEARNED * chance, (1 + chance) / 2)]
    return above


def _of_kinds(table: MeasuredTable, hardware: str | None) -> MeasuredTable:
    """Return the table with each chip named by its kind, unless a single variant is selected."""
    names = table.frame["hardware"]
    kinds = names.map(kind_of)
    return (
        table if (names[kinds != names] == hardware).any() else replace(table, frame=table.frame.assign(hardware=kinds))
    )


def choices(table: MeasuredTable, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the choices of each row's architecture, one column per choice.

    Returns:
        ``(n, c)`` with the index of `rows`: `params`, `macs`, and the `Space.traits` of the architectures.
    """
    described = [table.space.traits(one) for one in table.space.decode(genomes(rows))]
    costs: pd.DataFrame = rows[["params", "macs"]]
    return costs.join(pd.DataFrame(described, index=rows.index))


def relations(table: MeasuredTable, rows: pd.DataFrame) -> pd.DataFrame:
    """Return Kendall's tau of each label and each choice with each label, over the given rows.

    Returns:
        Index: `labels` and the columns of `choices`; columns: `labels`. NaN where one of the two never varies.
    """
    together = rows[labels(table)].join(choices(table, rows))
    return together.corr(method="kendall").loc[:, labels(table)]


def groups(table: MeasuredTable, hardware: str | None = None, fidelity: str | None = None) -> pd.DataFrame:
    """Return the labels of one chip, or kind of chip (as in `learned`), by groups of choices.

    Returns:
        One row for each group of `Space.trait_groups` that is not empty: `choice`, `group`, `rows`, `learned` (share of
        the rows well above chance, `LEARNED`), and the medians of `labels` over the rows well above chance.
    """
    rows, above = _of_kinds(table, hardware).select(hardware, fidelity), learned(table, hardware, fidelity)
    chosen = choices(table, rows)
    found = []
    for choice, (edges, names) in table.space.trait_groups.items():
        place = pd.cut(chosen[choice], edges, labels=names)
        for name in names:
            index = rows.index[place == name]
            if len(index):
                those = above.loc[above.index.intersection(index)]
                medians = {label: float(those[label].median()) for label in labels(table)}
                share = len(those) / len(index)
                found.append({"choice": choice, "group": name, "rows": len(index), "learned": share, **medians})
    return pd.DataFrame(found)
