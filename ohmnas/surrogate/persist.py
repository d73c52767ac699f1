"""A surrogate on disk: XGBoost's own model files and a JSON header; nothing in it can run code."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from ohmnas.errors import BrokenFileError, InvalidValueError, StorageError
from ohmnas.files import write_atomically
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.surrogate.checks import LARGEST_SIZE, check_model, check_provenance, finite, whole
from ohmnas.surrogate.features import feature_names
from ohmnas.surrogate.heads import Calibration
from ohmnas.surrogate.surrogate import Surrogate

FORMAT: Final = 1
"""Version of the header; a reader refuses a newer one."""
HEADER: Final = "surrogate.json"
_MODELS: Final = ("ranker", "std_model", "avm_model")
_MODEL_FILE: Final = re.compile(rf"({'|'.join(_MODELS)})-[0-9a-f]{{12}}\.json")
_LARGEST: Final = 1e12
"""Of a number that is no fraction: settings of a chip, scores, logarithms."""
_SMALLEST_FLOOR: Final = 1e-12
"""Of the standard deviation: what is divided by it stays finite."""


def save(surrogate: Surrogate, folder: Path) -> None:
    """Write a surrogate; the header comes last and names the models by content, so that a reader finds all or nothing.

    Of the files in the folder it replaces the surrogate that stands there, and touches no others.

    Raises:
        InvalidValueError: its provenance lacks what a reader relies on.
        StorageError: the disk refuses; a surrogate that stood there before still does.
    """
    provenance = check_provenance(dict(surrogate.provenance))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot make the folder {folder}: {error.strerror}") from error
    before = _named_models(folder)
    models = {}
    for name in _MODELS:
        text = getattr(surrogate, name).save_raw("json").decode()
        digest = hashlib.sha256(text.encode()).hexdigest()
        models[name] = {"file": f"{name}-{digest[:12]}.json", "sha256": digest}
        write_atomically(folder / models[name]["file"], text)
    header = {
        "format": FORMAT,
        "space": ResNetSpace.name,
        "input_shape": list(surrogate.space.input_shape),
        "classes": surrogate.space.classes,
        "features": list(feature_names(surrogate.hardware)),
        "hardware": dict(surrogate.hardware),
        "std_floor": surrogate.std_floor,
        "log_std_mean": surrogate.log_std_mean,
        "avm_mean": surrogate.avm_mean,
        "calibration": {
            "scores": surrogate.calibration.scores.tolist(),
            "values": surrogate.calibration.values.tolist(),
        },
        "provenance": provenance,
        "models": models,
    }
    write_atomically(folder / HEADER, json.dumps({**header, "sha256": _digest(header)}, indent=1) + "\n")
    for old in before - {model["file"] for model in models.values()}:
        with contextlib.suppress(OSError):  # the new surrogate is complete, and nobody reads what no header names
            (folder / old).unlink()


def _named_models(folder: Path) -> set[str]:
    """The model files of the surrogate that stands in a folder, if one does: `save` wrote them, and so may delete."""
    try:
        models = json.loads((folder / HEADER).read_text(encoding="utf-8"))["models"]
        files = {str(models[name]["file"]) for name in _MODELS}
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return set()
    return {file for file in files if _MODEL_FILE.fullmatch(file)}


def load(folder: Path) -> Surrogate:
    """Read what `save` wrote.

    Raises:
        BrokenFileError: a file is missing, truncated, edited, of another space or of a newer version, or a value in it
            is none that a surrogate can have; nothing in it is believed unchecked.
    """
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
    if header["features"] != list(feature_names(hardware)):
        raise InvalidValueError("the surrogate was fitted on other features than this ohmnas has: fit it again")
    features = len(header["features"])
    return Surrogate(
        _space(header["input_shape"], header["classes"]),
        hardware,
        finite(header["std_floor"], _SMALLEST_FLOOR, 1.0, "std_floor"),
        _read_model(folder, header["models"]["ranker"], features),
        Calibration(_knots(header["calibration"], "scores"), _knots(header["calibration"], "values")),
        _read_model(folder, header["models"]["std_model"], features + 1),  # sees the ranker's score
        finite(header["log_std_mean"], -_LARGEST, 0.0, "log_std_mean"),
        _read_model(folder, header["models"]["avm_model"], features + 1),
        finite(header["avm_mean"], -1.0, 1.0, "avm_mean"),
        check_provenance(header["provenance"]),
    )


def _space(shape: object, classes: object) -> ResNetSpace:
    if not isinstance(shape, list) or len(shape) != 3:
        raise InvalidValueError("input_shape is not channels, height and width")
    channels, height, width = (whole(size, 1, LARGEST_SIZE, "a size of input_shape") for size in shape)
    return ResNetSpace((channels, height, width), whole(classes, 1, LARGEST_SIZE, "classes"))


def _knots(calibration: dict[str, Any], name: str) -> npt.NDArray[np.float64]:
    knots = calibration[name]
    if not isinstance(knots, list):
        raise InvalidValueError(f"calibration: {name} is not a list")
    return np.array([finite(knot, -_LARGEST, _LARGEST, f"calibration: a knot of {name}") for knot in knots])


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
        raise BrokenFileError(f"{path} has format {header['format']}, this ohmnas reads up to {FORMAT}: update ohmnas")
    if header.get("space") != ResNetSpace.name:
        raise BrokenFileError(
            f"{path} is a surrogate of the space {header.get('space')!r}, not of {ResNetSpace.name!r}"
        )
    return header


def _digest(header: dict[str, Any]) -> str:
    """Checksum of the header's values, whatever their layout."""
    return hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest()


def _read_model(folder: Path, entry: dict[str, str], features: int) -> xgb.Booster:
    path = folder / Path(entry["file"]).name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BrokenFileError(f"{path} cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise BrokenFileError(f"{path} is not the file that its header describes (checksum): truncated or edited")
    booster = xgb.Booster()
    try:
        model = json.loads(content)
        check_model(model, features)
        # What was checked is what is loaded: parsers differ in what they make of a key that occurs twice.
        booster.load_model(bytearray(json.dumps(model).encode()))
        booster.set_param({"nthread": 1})  # a hundred rows at a time: threads would only wait for each other
    except (ValueError, RecursionError, xgb.core.XGBoostError) as error:
        raise BrokenFileError(f"{path} is not a model of a surrogate: {str(error).splitlines()[0]}") from error
    return booster
