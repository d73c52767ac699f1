"""Origin of a result, and the command that repeats it."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import join
from typing import Any, Final

from ohmnas.hardware import hardware
from ohmnas.hardware.settings import BATCH_NORMS
from ohmnas.report.command import values_of
from ohmnas.report.page import Grid, Section, text_cell
from ohmnas.report.subject import Subject

_READING: Final = ("--store", "--table", "--surrogate", "--resume", "--hardware", "--start-from", "--config")
"""Flags that name input files of a command."""
_ENDS: Final = {
    "iterations": "ran to its end",
    "seconds": "stopped by the time limit",
    "evaluations": "stopped at the evaluation limit",
    "patience": "stopped without improvement",
    "nothing new": "stopped without new networks",
    "interrupted": "interrupted",
}
"""`SearchResult.stopped` -> words."""
_OF_THE_DEVICE: Final = " x the measured device"
_OF_AN_OUTPUT: Final = " x full-scale input times largest weight"
_UNITS: Final = {
    "hw_g_max": " \u00b5S",
    "hw_tile_rows": " inputs",
    "hw_tile_columns": " outputs",
    "hw_dac_bits": " bits",
    "hw_adc_bits": " bits",
    "hw_adc_bound": _OF_AN_OUTPUT,
    "hw_output_noise": _OF_AN_OUTPUT,
    "hw_programming_noise": _OF_THE_DEVICE,
    "hw_read_noise": _OF_THE_DEVICE,
    "hw_drift": _OF_THE_DEVICE,
    "hw_training_noise": " x largest weight of the column",
    "hw_clip_sigma": " standard deviations of the layer's weights",
}
"""Setting of a chip -> unit after its value; see `hardware.settings.Hardware`."""


_NAMES: Final = {
    "hw_g_max": "largest conductance",
    "hw_tile_rows": "rows of a tile",
    "hw_tile_columns": "columns of a tile",
    "hw_dac_bits": "input converters",
    "hw_adc_bits": "output converters",
    "hw_adc_bound": "saturation of the output converters",
    "hw_training_noise": "weight noise in training",
    "hw_clip_sigma": "weights clipped in training at",
}
"""Setting of a chip -> its name, if the name of its column says too little."""


def provenance_section(one: Subject, several: bool) -> Section:
    """Return the section of one result: surrogate, table, search and chip."""
    learned: dict[str, Any] = dict(one.result.provenance)
    rows = [[text_cell("result"), text_cell(str(one.path))]]
    if weights := one.result.best.weights:
        folders = ", ".join(f"networks/{name}" for name in weights)
        rows.append([text_cell("trained networks, beside the result"), text_cell(folders)])
    names = {
        "task": "task",
        "table_name": "table or store",
        "table_sha256": "its SHA-256",
        "hardware": "chip",
        "fidelity": "training fidelity",
        "rows": "measured architectures",
        "networks": "measured networks",
        "started_from": "source model fitted to",
    }
    for key, name in names.items():
        if learned.get(key) not in (None, ""):
            amount = learned[key]
            rows.append([text_cell(name), text_cell(f"{amount:,}" if isinstance(amount, int) else str(amount))])
    for table, checksum in learned.get("start_tables", {}).items():
        rows.append([text_cell("first rows of the store from table"), text_cell(f"{table}, SHA-256 {checksum}")])
    space = one.result.space
    shape = "x".join(map(str, space.input_shape))
    rows.append([text_cell("space"), text_cell(f"{space.name}: images of {shape}, {space.classes} classes")])
    rows.append(
        [
            text_cell("search"),
            text_cell(
                f"{one.result.strategy}, seed {one.result.seed}, {_ENDS.get(one.result.stopped, one.result.stopped)}"
            ),
        ]
    )
    if one.result.parameters:
        rows.append(
            [
                text_cell("parameters of the strategy"),
                text_cell(", ".join(f"{k}={v}" for k, v in one.result.parameters.items())),
            ]
        )
    if one.result.excluded:
        rows.append([text_cell("excluded tables, SHA-256"), text_cell(", ".join(one.result.excluded))])
    for package, installed in learned.get("versions", {}).items():
        rows.append([text_cell(f"{package} version used for the fit"), text_cell(str(installed))])
    chip = {**learned.get("chip", {})}
    if one.result.best.chip:
        own = hardware(one.result.best.chip)
        chip = {"technology": own.technology, **own.settings()}
    settings = [
        [text_cell(_NAMES.get(name, name.removeprefix("hw_").replace("_", " "))), text_cell(_with_unit(name, value))]
        for name, value in chip.items()
    ]
    details = [("Settings of the chip", Grid(["setting", "value"], settings))] if settings else []
    title = f"Provenance{f': {one.name}' if several else ''}"
    anchor = f"provenance-{one.anchor}" if several else "provenance"
    return Section(anchor, title, grid=Grid(["", ""], rows, is_stacked=True), details=details)


def _with_unit(name: str, value: object) -> str:
    """Return the value of a setting of a chip with its unit."""
    if not isinstance(value, float):
        return str(value)
    if name == "hw_batch_norm":
        return BATCH_NORMS[int(value)]
    if name == "hw_drift_compensation":
        return "yes" if value else "no"
    if name in ("hw_dac_bits", "hw_adc_bits", "hw_clip_sigma") and not value:
        return "0 (ideal)" if name.endswith("bits") else "0 (none)"
    return f"{value:g}{_UNITS.get(name, '')}"


def _how_to_repeat(subjects: Sequence[Subject]) -> list[str]:
    recorded = [one for one in subjects if one.result.command]
    several = len(recorded) > 1
    again = "each command finds its network again" if several else "the command finds the same network again"
    cut = [one.name for one in recorded if one.result.stopped in ("seconds", "interrupted")]
    texts = []
    if any(values_of(one.result.command, "--store") and one.is_refined for one in recorded):
        texts.append(f"On the same kind of processor and with a new --store and --out, {again}.")
    elif any(values_of(one.result.command, flag) for one in recorded for flag in _READING):
        inputs = "their input files" if several else "its input files"
        texts.append(
            f"On the same kind of processor, {again}, if you use new output folders and {inputs} are unchanged."
        )
    else:
        texts.append(f"Run in an empty folder on the same kind of processor, {again}.")
    if cut:
        which = f" ({', '.join(cut)})" if several else ""
        texts.append(f"A search that was cut short{which} may end elsewhere, and find another network.")
    return texts


def repeat_section(subjects: Sequence[Subject]) -> Section:
    """Return the section with the commands that repeat all results."""
    commands = [join(["ohmnas", *one.result.command]) for one in subjects if one.result.command]
    lacking = [one.name for one in subjects if not one.result.command]
    after = (
        [f"No command is recorded for {', '.join(lacking)} (made in Python or by an earlier version)."]
        if lacking
        else []
    )
    return Section(
        "repeat",
        "Repeat",
        _how_to_repeat(subjects) if commands else [],
        command="\n".join(commands),
        after=after,
    )
