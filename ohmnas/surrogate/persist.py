"""A surrogate on disk: XGBoost's model files, the rows of its processes and a header, all JSON that cannot run code."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import re
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ohmnas.errors import BrokenFileError, InvalidValueError, StorageError
from ohmnas.files import write_atomically
from ohmnas.spaces.codesign import SPACES, space_of
from ohmnas.spaces.hardware import Hardware
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.surrogate.checks import LARGEST_SIZE, check_model, check_provenance, finite, whole
from ohmnas.surrogate.features import CHIPLESS, feature_names
from ohmnas.surrogate.forest import Forest
from ohmnas.surrogate.heads import Calibration, Values
from ohmnas.surrogate.intervals import Residuals
from ohmnas.surrogate.learning import HEADS
from ohmnas.surrogate.mixture import LEAST_SPREAD
from ohmnas.surrogate.process import MOST_ROWS, Process
from ohmnas.surrogate.scales import AVM_UNIT
from ohmnas.surrogate.surrogate import SETTINGS, Surrogate
from ohmnas.surrogate.transfer import Line, Start

FORMAT: Final = 5
"""Version of the header; a reader refuses any other: a surrogate is fitted again in seconds."""
HEADER: Final = "surrogate.json"
_MODELS: Final = ("ranker", "std_model", "avm_model")
_START_MODELS: Final = ("start_accuracy", "start_std", "start_avm")
_PROCESSES: Final = ("process", "spread_process")
_MODEL_FILE: Final = re.compile(rf"({'|'.join((*_MODELS, *_START_MODELS, *_PROCESSES))})-[0-9a-f]{{12}}\.json")
_AVM_MOST: Final = math.asinh(1.0 / AVM_UNIT)
"""Of an AVM on its scale."""
_LARGEST: Final = 1e12
"""Of a number that is no fraction: settings of a chip, scores, logarithms."""


def save(surrogate: Surrogate, folder: Path) -> None:
    """Write a surrogate; the header comes last and names the models by content, so that a reader finds all or nothing.

    Of the files in the folder it replaces the surrogate that stands there, and touches no others.

    Raises:
        InvalidValueError: its provenance lacks what a reader relies on.
        StorageError: the disk refuses; a surrogate that stood there before still does.
    """
    check_is_fitted(surrogate)
    provenance = check_provenance(dict(surrogate.provenance_))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot make the folder {folder}: {error.strerror}") from error
    before = _named_models(folder)
    models = {}
    texts = dict(_model_texts(surrogate))
    texts |= {name: json.dumps(_lists(getattr(surrogate, f"{name}_"))) for name in _PROCESSES}
    for name, text in texts.items():
        digest = hashlib.sha256(text.encode()).hexdigest()
        models[name] = {"file": f"{name}-{digest[:12]}.json", "sha256": digest}
    header = {
        "format": FORMAT,
        "space": surrogate.space_.name,
        **_shape(surrogate.space_),
        "features": list(feature_names(surrogate.hardware_)),
        "hardware": dict(surrogate.hardware_),
        "settings": {name: kind(getattr(surrogate, name)) for name, (_, _, kind) in SETTINGS.items()},
        "log_std_mean": surrogate.log_std_mean_,
        "avm_mean": surrogate.avm_mean_,
        "spreads": list(surrogate.spreads_),
        "shares": list(surrogate.shares_),
        "extremes": [list(ends) for ends in surrogate.extremes_],
        "calibration": _lists(surrogate.calibration_),
        "intervals": [_lists(residuals) for residuals in surrogate.residuals_],
        "start": _start_values(surrogate),
        "provenance": provenance,
        "models": models,
    }
    whole_header = json.dumps({**header, "sha256": _digest(header)}, indent=1) + "\n"
    for name, text in texts.items():
        write_atomically(folder / models[name]["file"], text)
    write_atomically(folder / HEADER, whole_header)
    for old in before - {model["file"] for model in models.values()}:
        with contextlib.suppress(OSError):  # the new surrogate is complete, and nobody reads what no header names
            (folder / old).unlink()


def is_of_a_surrogate(name: str) -> bool:
    """Whether `save` names files so, while it writes too; a killed one may have left some, and no header."""
    return name.startswith(f".{HEADER}.") or _MODEL_FILE.match(name.removeprefix(".")) is not None or name == HEADER


def _model_texts(surrogate: Surrogate) -> dict[str, str]:
    """Name -> model in XGBoost's JSON; those of a start, if it has one."""
    texts = {name: getattr(surrogate, f"{name}_") for name in _MODELS}
    if surrogate.start is not None:
        texts |= dict(zip(_START_MODELS, surrogate.start.models, strict=True))
    return texts


def _start_values(surrogate: Surrogate) -> dict[str, Any] | None:
    if surrogate.start is None or surrogate.line_ is None:
        return None
    start = surrogate.start
    return {**_shape(start.space), "sources": list(start.sources), "line": _lists(surrogate.line_)}


def _shape(space: ResNetSpace) -> dict[str, Any]:
    return {"input_shape": list(space.input_shape), "classes": space.classes}


def _lists(record: Calibration | Residuals | Line | Process) -> dict[str, Any]:
    """The arrays of a record as JSON values."""
    return {entry.name: np.asarray(getattr(record, entry.name)).tolist() for entry in fields(record) if entry.init}


def _named_models(folder: Path) -> set[str]:
    """The model files of the surrogate that stands in a folder, if one does: `save` wrote them, and so may delete."""
    try:
        models = json.loads((folder / HEADER).read_text(encoding="utf-8"))["models"]
        files = {str(model["file"]) for model in models.values()}
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return set()
    return {file for file in files if _MODEL_FILE.fullmatch(file)}


def load(folder: Path) -> Surrogate:
    """Read what `save` wrote.

    Raises:
        BrokenFileError: a file is missing, truncated, edited, of another space or of a newer version, or a value in it
            is none that a surrogate can have; nothing in it is believed unchecked.
    """
    if folder.is_file():
        raise BrokenFileError(f"{folder} is a file, and a surrogate is the folder that fit wrote")
    header = _read_header(folder / HEADER)
    checksum = header.pop("sha256", None)
    try:
        surrogate = _surrogate(folder, header)
        digest = _digest(header)
    except BrokenFileError:  # a model's, which names its own file
        raise
    except InvalidValueError as error:
        raise BrokenFileError(f"{folder / HEADER}: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise BrokenFileError(f"{folder / HEADER} lacks or garbles {error}") from error
    if checksum != digest:
        raise BrokenFileError(f"{folder / HEADER} was edited or damaged since it was written (checksum)")
    return surrogate


def _surrogate(folder: Path, header: dict[str, Any]) -> Surrogate:
    """What a header and its models describe, checked."""
    hardware = {
        str(name): finite(value, -_LARGEST, _LARGEST, f"hardware: {name}") for name, value in header["hardware"].items()
    }
    if set(hardware) != set(Hardware().description()) or header["features"] != list(feature_names(hardware)):
        raise InvalidValueError("the surrogate was fitted on other features than this ohmnas has: fit it again")
    features = len(header["features"])
    settings = {name: _setting(name, header["settings"]) for name in SETTINGS}
    start = None if header["start"] is None else _start(folder, header)
    space = _space(header, header["space"])
    surrogate = Surrogate(space, hardware, start=start, **settings)
    surrogate.space_, surrogate.hardware_ = space, hardware
    surrogate.n_features_in_ = len(space.gene_names)
    features += 0 if start is None else len(HEADS)
    surrogate.ranker_ = _read_model(folder, header["models"]["ranker"], features)
    surrogate.std_model_ = _read_model(folder, header["models"]["std_model"], features + 1)  # sees the ranker's score
    surrogate.avm_model_ = _read_model(folder, header["models"]["avm_model"], features + 1)
    surrogate.forests_ = (
        Forest.of([surrogate.ranker_]),
        Forest.of([surrogate.std_model_, surrogate.avm_model_]),
    )
    surrogate.log_std_mean_ = finite(header["log_std_mean"], -_LARGEST, 0.0, "log_std_mean")
    surrogate.avm_mean_ = finite(header["avm_mean"], -_AVM_MOST, _AVM_MOST, "avm_mean")
    surrogate.process_ = _process(folder, header["models"]["process"], features, heads=1)
    surrogate.spread_process_ = _process(folder, header["models"]["spread_process"], features + 1, heads=2)
    spreads, shares = _numbers(header["spreads"], "spreads", 2), _numbers(header["shares"], "shares", 2)
    if not (spreads > LEAST_SPREAD).all() or not ((shares >= 0.0) & (shares <= 1.0)).all():
        raise InvalidValueError(f"spreads are above {LEAST_SPREAD:g} and shares from 0 to 1")
    low, high = header["extremes"]
    extremes = _numbers(low, "extremes", 2), _numbers(high, "extremes", 2)
    if not (extremes[0] <= extremes[1]).all():
        raise InvalidValueError("extremes are the lowest, then the highest")
    surrogate.extremes_ = (tuple(extremes[0].tolist()), tuple(extremes[1].tolist()))
    surrogate.spreads_, surrogate.shares_ = tuple(spreads.tolist()), tuple(shares.tolist())
    surrogate.calibration_ = Calibration(**_arrays(header["calibration"], Calibration))
    if not isinstance(header["intervals"], list) or len(header["intervals"]) != len(HEADS):
        raise InvalidValueError(f"intervals are not {len(HEADS)}")
    surrogate.residuals_ = tuple(Residuals(**_arrays(values, Residuals)) for values in header["intervals"])
    surrogate.line_ = None if start is None else _line(header["start"]["line"])
    surrogate.provenance_ = check_provenance(header["provenance"])
    return surrogate


def _setting(name: str, settings: dict[str, Any]) -> Any:
    low, high, kind = SETTINGS[name]
    if kind is bool:
        if type(settings[name]) is not bool:
            raise InvalidValueError(f"settings: {name} is {settings[name]!r}, not true or false")
        return settings[name]
    if kind is int:
        return whole(settings[name], int(low), int(high), f"settings: {name}")
    return finite(settings[name], low, high, f"settings: {name}")


def _start(folder: Path, header: dict[str, Any]) -> Start:
    values = header["start"]
    sources = values["sources"]
    if not isinstance(sources, list) or not all(isinstance(source, str) for source in sources):
        raise InvalidValueError("start: sources are not a list of texts")
    models = tuple(_read_model(folder, header["models"][name], CHIPLESS) for name in _START_MODELS)
    return Start(_space(values), models, tuple(sources))


def _process(folder: Path, entry: dict[str, str], features: int, heads: int) -> Process:
    path, content = _read_part(folder, entry)
    try:
        values = json.loads(content)
        rows, weights = values["inputs"], values["weights"]
        if not (isinstance(rows, list) and isinstance(weights, list) and len(rows) <= MOST_ROWS):
            raise InvalidValueError(f"its rows are no list of at most {MOST_ROWS}")
        return Process(
            _numbers(values["centre"], "centre", features),
            _numbers(values["scale"], "scale", features),
            np.array([_numbers(row, "inputs", features) for row in rows], dtype=np.float32),
            np.array([_numbers(row, "weights", heads) for row in weights], dtype=np.float32),
            _numbers(values["levels"], "levels", heads),
        )
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise BrokenFileError(f"{path} is not a process of a surrogate: {error}") from error


def _line(values: dict[str, Any]) -> Line:
    slopes = values["slopes"]
    if not isinstance(slopes, list) or len(slopes) != len(HEADS):
        raise InvalidValueError(f"start: slopes are not {len(HEADS)} rows")
    rows = [_numbers(row, "start: a slope", len(HEADS)) for row in slopes]
    heights = _numbers(values["heights"], "start: a height", len(HEADS))
    return Line(np.array(rows), heights, finite(values["share"], 0.0, 1.0, "start: share"))


def _space(values: dict[str, Any], name: str = ResNetSpace.name) -> ResNetSpace:
    shape = values["input_shape"]
    if not isinstance(shape, list) or len(shape) != 3:
        raise InvalidValueError("input_shape is not channels, height and width")
    channels, height, width = (whole(size, 1, LARGEST_SIZE, "a size of input_shape") for size in shape)
    return space_of(name, (channels, height, width), whole(values["classes"], 1, LARGEST_SIZE, "classes"))


def _arrays(values: dict[str, Any], kind: type[Calibration | Residuals]) -> dict[str, Values]:
    """The arrays of a record."""
    names = [entry.name for entry in fields(kind)]
    return {name: _numbers(values[name], f"{kind.__name__.lower()}: {name}") for name in names}


def _numbers(values: object, name: str, count: int | None = None) -> Values:
    if not isinstance(values, list) or (count is not None and len(values) != count):
        raise InvalidValueError(f"{name}: not a list of {'numbers' if count is None else f'{count} numbers'}")
    return np.array([finite(value, -_LARGEST, _LARGEST, name) for value in values])


def _read_header(path: Path) -> dict[str, Any]:
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BrokenFileError(f"{path.parent} holds no surrogate: {path.name} is missing") from None
    except (OSError, ValueError, RecursionError) as error:
        raise BrokenFileError(f"{path} cannot be read: {error}") from error
    if not isinstance(header, dict) or type(header.get("format")) is not int:
        raise BrokenFileError(f"{path} is not the header of a surrogate")
    if header["format"] > FORMAT:
        raise BrokenFileError(f"{path} has format {header['format']}, this ohmnas reads {FORMAT}: update ohmnas")
    if header["format"] < FORMAT:
        raise BrokenFileError(f"{path} is of an older ohmnas (format {header['format']}, not {FORMAT}): fit it again")
    if not isinstance(header.get("space"), str) or header["space"] not in SPACES:
        raise BrokenFileError(
            f"{path} is a surrogate of the space {header.get('space')!r}, not of {' or '.join(map(repr, SPACES))}"
        )
    return header


def _digest(header: dict[str, Any]) -> str:
    """Checksum of the header's values, whatever their layout."""
    return hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest()


def _read_model(folder: Path, entry: dict[str, str], features: int) -> str:
    """The text of a model. The installed XGBoost never reads it: versions differ in what they make of each other's."""
    path, content = _read_part(folder, entry)
    try:
        text = content.decode()
        check_model(json.loads(text), features)
    except (ValueError, RecursionError) as error:
        raise BrokenFileError(f"{path} is not a model of a surrogate: {str(error).splitlines()[0]}") from error
    return text


def _read_part(folder: Path, entry: dict[str, str]) -> tuple[Path, bytes]:
    """A file that the header names, if it is the one that was written."""
    path = folder / Path(entry["file"]).name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BrokenFileError(f"{path} cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise BrokenFileError(f"{path} is not the file that its header describes (checksum): truncated or edited")
    return path, content
