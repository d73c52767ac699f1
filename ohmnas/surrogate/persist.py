"""A surrogate on disk: XGBoost's own model files and a JSON header; nothing in it can run code."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import xgboost as xgb

from ohmnas.errors import BrokenFileError, StorageError
from ohmnas.files import write_atomically
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.surrogate.features import feature_names
from ohmnas.surrogate.heads import Calibration
from ohmnas.surrogate.surrogate import Surrogate

FORMAT: Final = 1
"""Version of the header; a reader refuses a newer one."""
HEADER: Final = "surrogate.json"
_MODELS: Final = ("ranker", "std_model", "avm_model")


def save(surrogate: Surrogate, folder: Path) -> None:
    """Write a surrogate; the header comes last and names the models by content, so that a reader finds all or nothing.

    Raises:
        StorageError: the disk refuses; a surrogate that stood there before still does.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot make the folder {folder}: {error.strerror}") from error
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
        "provenance": dict(surrogate.provenance),
        "models": models,
    }
    write_atomically(folder / HEADER, json.dumps({**header, "sha256": _digest(header)}, indent=1) + "\n")
    kept = {model["file"] for model in models.values()}
    for name in _MODELS:
        for old in folder.glob(f"{name}-*.json"):
            if old.name not in kept:
                old.unlink()


def load(folder: Path) -> Surrogate:
    """Read what `save` wrote.

    Raises:
        BrokenFileError: a file is missing, truncated, edited, of another space or of a newer version.
    """
    header = _read_header(folder / HEADER)
    checksum = header.pop("sha256", None)
    try:
        shape = header["input_shape"]
        space = ResNetSpace((int(shape[0]), int(shape[1]), int(shape[2])), int(header["classes"]))
        hardware = {str(name): float(value) for name, value in header["hardware"].items()}
        if tuple(header["features"]) != feature_names(hardware):
            raise BrokenFileError(f"{folder} was fitted on other features than this ohmnas has: fit it again")
        calibration = Calibration(
            np.array(header["calibration"]["scores"], dtype=np.float64),
            np.array(header["calibration"]["values"], dtype=np.float64),
        )
        if calibration.scores.shape != calibration.values.shape or not len(calibration.scores):
            raise BrokenFileError(f"{folder / HEADER}: the calibration has no or unequal knots")
        boosters = {name: _read_model(folder, header["models"][name]) for name in _MODELS}
        for name, booster in boosters.items():
            if booster.num_features() != len(header["features"]) + (name != "ranker"):  # the others see its score
                raise BrokenFileError(
                    f"{folder}: the {name} has {booster.num_features()} features, not those of its header"
                )
        surrogate = Surrogate(
            space,
            hardware,
            float(header["std_floor"]),
            boosters["ranker"],
            calibration,
            boosters["std_model"],
            float(header["log_std_mean"]),
            boosters["avm_model"],
            float(header["avm_mean"]),
            dict(header["provenance"]),
        )
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        if isinstance(error, BrokenFileError):
            raise
        raise BrokenFileError(f"{folder / HEADER} lacks or garbles {error}") from error
    if checksum != _digest(header):
        raise BrokenFileError(f"{folder / HEADER} was edited or damaged since it was written (checksum)")
    return surrogate


def _read_header(path: Path) -> dict[str, Any]:
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BrokenFileError(f"{path.parent} holds no surrogate: {path.name} is missing") from None
    except (OSError, ValueError, RecursionError) as error:
        raise BrokenFileError(f"{path} cannot be read: {error}") from error
    if not isinstance(header, dict) or not isinstance(header.get("format"), int):
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


def _read_model(folder: Path, entry: dict[str, str]) -> xgb.Booster:
    path = folder / Path(entry["file"]).name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BrokenFileError(f"{path} cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise BrokenFileError(f"{path} is not the file that its header describes (checksum): truncated or edited")
    booster = xgb.Booster()
    try:
        json.loads(content)  # some contents that are no JSON at all would end the process inside of XGBoost
        booster.load_model(bytearray(content))
        booster.set_param({"nthread": 1})  # a hundred rows at a time: threads would only wait for each other
    except (ValueError, RecursionError, xgb.core.XGBoostError) as error:
        raise BrokenFileError(f"{path} is not an XGBoost model: {str(error).splitlines()[0]}") from error
    return booster
