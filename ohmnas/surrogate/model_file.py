"""Surrogate files: a NumPy archive of plain arrays with a JSON header. Loading a file never runs code.

The header is the array `header`: a JSON object in UTF-8 with all values that are not arrays. All values of a file are
checked: sizes before memory is allocated, then types and shapes of all arrays, whether their numbers are finite, and
each part by its own class (`Trees`, `GaussianProcess`, `Calibration`, ...).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt

from ohmnas.errors import BrokenFileError, InvalidValueError, StorageError, UnknownNameError, in_short, shown
from ohmnas.hardware import Hardware
from ohmnas.json_values import LARGEST_SIZE
from ohmnas.npz import read_arrays, write_arrays
from ohmnas.spaces.codesign import space_of
from ohmnas.spaces.space import Space
from ohmnas.surrogate.calibration import Calibration
from ohmnas.surrogate.features import feature_names
from ohmnas.surrogate.further import FurtherTarget
from ohmnas.surrogate.intervals import Residuals
from ohmnas.surrogate.known import KnownNetworks
from ohmnas.surrogate.mixture import Mixture, Pair
from ohmnas.surrogate.model import SurrogateModel
from ohmnas.surrogate.process import GaussianProcess
from ohmnas.surrogate.scales import Scales
from ohmnas.surrogate.transfer import Line, SourceModel
from ohmnas.surrogate.trees import Trees
from ohmnas.surrogate.validation import check_provenance, finite, whole
from ohmnas.targets import DEFAULT_NAMES, TARGETS, VARIATIONS

FORMAT: Final = 8
"""Version of the format; other versions are rejected, because fitting again takes seconds."""
SUFFIX: Final = ".npz"
LARGEST: Final = 32 << 20
"""Largest size in bytes of a file and of its arrays. The largest shipped surrogate has about 1 MB."""
_LONGEST_HEADER: Final = 1 << 16
"""Largest size of the header in bytes."""
_LARGEST_NUMBER: Final = 1e12
"""Largest magnitude of a number: settings of a chip, scores, weights, logarithms."""
_OLD_HEADER: Final = "surrogate.json"
"""Up to format 5, a surrogate was a folder with this file."""

Kinds = dict[str, tuple[str, int]]
"""Array -> type and number of dimensions."""
Array = npt.NDArray[Any]

_TREES: Final[Kinds] = {"sizes": ("i4", 1), "splits": ("i2", 1), "numbers": ("f4", 1)}
_PROCESS: Final[Kinds] = {
    "columns": ("i4", 1),
    "centre": ("f4", 1),
    "scale": ("f4", 1),
    "inputs": ("f4", 2),
    "weights": ("f4", 2),
    "levels": ("f8", 1),
}
_ENSEMBLES: Final = ("ranker", "std_trees", "avm_trees")
_SOURCE_ENSEMBLES: Final = ("source_accuracy", "source_std", "source_avm")
_SCALES: Final = ("std_floor", "avm_unit")
_RESIDUALS: Final[Kinds] = {"positions": ("f8", 1), "scales": ("f8", 1), "normalised": ("f8", 1)}
_PARTS: Final[dict[str, Kinds]] = {
    **dict.fromkeys(_ENSEMBLES, _TREES),
    "process": _PROCESS,
    "spread_process": _PROCESS,
    "calibration": {"scores": ("f8", 1), "values": ("f8", 1)},
    **{f"{target}_residuals": _RESIDUALS for target in DEFAULT_NAMES},
    "known": {"genomes": ("i2", 2), "scores": ("f8", 1)},
}
"""Part of a surrogate -> its arrays, named ``<part>_<array>`` in the archive."""
_SOURCE_PARTS: Final[dict[str, Kinds]] = {
    **dict.fromkeys(_SOURCE_ENSEMBLES, _TREES),
    "line": {"slopes": ("f8", 2), "heights": ("f8", 1), "shares": ("f8", 1)},
    "ranks": {"scores": ("f8", 1), "values": ("f8", 1)},
}
"""Additional parts of a surrogate with a source model."""
_FURTHER_NUMBERS: Final = ("mean", "lowest", "highest")


def _further_parts(names: Iterable[str]) -> dict[str, Kinds]:
    """Additional parts of a surrogate with these further targets."""
    parts: dict[str, Kinds] = {}
    for name in names:
        parts |= {f"{name}_trees": _TREES, f"{name}_residuals": _RESIDUALS}
    return parts


def file_of(path: str | Path) -> Path:
    """Return the path with ``.npz``, added if missing."""
    path = Path(path)
    return path if path.name.endswith(SUFFIX) else path.with_name(path.name + SUFFIX)


def save_model(model: SurrogateModel, path: str | Path) -> Path:
    """Write a surrogate; equal surrogates give equal bytes.

    Args:
        model: a fitted surrogate.
        path: output file; ``.npz`` is added if missing.

    Returns:
        The path of the file.

    Raises:
        InvalidValueError: the provenance of the surrogate is incomplete.
        StorageError: the write failed; an existing file is unchanged.
    """
    path = file_of(path)
    header = {
        "format": FORMAT,
        "space": model.space.name,
        **_shape(model.space),
        "targets": [one.name for one in model.targets[: len(DEFAULT_NAMES)]],
        "features": list(feature_names(model.space, model.hardware)),
        "hardware": dict(model.hardware),
        "scales": {name: getattr(model.scales, name) for name in _SCALES},
        "settings": dict(model.settings),
        "bases": [trees.base for trees in _ensembles(model)],
        "mixture": {name: list(getattr(model.mixture, name)) for name in Mixture.__slots__},
        "further": {
            one.target.name: [one.trees.base, *(getattr(one, name) for name in _FURTHER_NUMBERS)]
            for one in model.further
        },
        "source": _source_values(model),
        "provenance": check_provenance(dict(model.provenance)),
    }
    text = json.dumps(header, indent=1, allow_nan=False).encode()
    arrays: dict[str, Array] = {"header": np.frombuffer(text, dtype=np.uint8)}
    kinds = {**_PARTS, **_SOURCE_PARTS, **_further_parts(one.target.name for one in model.further)}
    for part, record in _records(model).items():
        for name, (kind, _) in kinds[part].items():
            arrays[f"{part}_{name}"] = np.asarray(getattr(record, name)).astype(f"<{kind}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot create the folder {path.parent}: {error.strerror}") from error
    write_arrays(path, arrays)
    return path


def read_model(path: str | Path) -> SurrogateModel:
    """Read a surrogate written by `SurrogateModel.save`.

    Args:
        path: the file, with or without ``.npz``.

    Raises:
        BrokenFileError: the file is missing or truncated, has an unknown space or another format version, or holds an
            invalid value.
    """
    path = found_file(Path(path))
    header = read_header(path)
    try:
        return _model(header, _read_parts(path, header))
    except BrokenFileError:
        raise
    except (InvalidValueError, UnknownNameError) as error:
        raise BrokenFileError(f"{path}: {error}") from error
    except KeyError as error:
        raise BrokenFileError(f"{path} has an invalid header: it lacks {in_short(error)}") from error
    except (TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise BrokenFileError(f"{path} has an invalid header: {in_short(error)}") from error


def read_header(path: Path) -> dict[str, Any]:
    """Read the header of a surrogate's file. Only format and space are checked.

    Raises:
        BrokenFileError: the file is not a surrogate, has another format version, or names no space.
    """
    content = read_arrays(path, ["header"], LARGEST)["header"]
    if content.dtype != np.uint8 or content.ndim != 1 or len(content) > _LONGEST_HEADER:
        raise BrokenFileError(
            f"{path} is not a surrogate: its header must be text of at most {_LONGEST_HEADER:,} bytes"
        )
    try:
        header = json.loads(content.tobytes())
    except (ValueError, RecursionError) as error:
        raise BrokenFileError(f"{path} has a header that is not JSON: {in_short(error)}") from error
    if not isinstance(header, dict) or type(header.get("format")) is not int:
        raise BrokenFileError(f"{path} has no surrogate header")
    if header["format"] > FORMAT:
        raise BrokenFileError(
            f"{path} has format {shown(header['format'])}, but this version of ohmnas reads format {FORMAT}: "
            "update ohmnas"
        )
    if header["format"] < FORMAT:
        raise BrokenFileError(f"{path} is from an older version of ohmnas (format {shown(header['format'])}): {_ANEW}")
    if not isinstance(header.get("space"), str):
        raise BrokenFileError(f"{path} names the space {shown(header.get('space'))}, which is not a string")
    return header


_ANEW: Final = "create a new one with ohmnas fit --table TABLE --out NAME.npz"


def found_file(path: Path) -> Path:
    """Return the file of a surrogate.

    Raises:
        BrokenFileError: the path is a folder.
    """
    with suppress(OSError):  # `opened` reports paths that cannot be read
        if not path.is_file() and file_of(path).is_file():
            return file_of(path)
        if (path / _OLD_HEADER).is_file():
            raise BrokenFileError(f"{path} is a surrogate folder from an older version of ohmnas: {_ANEW}")
        if path.is_dir():
            raise BrokenFileError(f"{path} is a folder, but a surrogate is a file: {_ANEW}")
    return path


def _read_parts(path: Path, header: dict[str, Any]) -> dict[str, dict[str, Array]]:
    """Read the arrays of each part; check types, dimensions and finite values."""
    if unknown := [name for name in header["further"] if name not in TARGETS]:
        raise InvalidValueError(f"it predicts {shown(unknown[0])}, which is not a target")
    if header["source"] is not None and "share" in header["source"]:
        raise InvalidValueError(f"its source model is from an older version of ohmnas: {_ANEW}")
    parts = {**_PARTS, **({} if header["source"] is None else _SOURCE_PARTS), **_further_parts(header["further"])}
    arrays = read_arrays(path, [f"{part}_{name}" for part, kinds in parts.items() for name in kinds], LARGEST)
    for part, kinds in parts.items():
        for name, (kind, dimensions) in kinds.items():
            array = arrays[f"{part}_{name}"]
            if array.dtype != np.dtype(kind) or array.ndim != dimensions:
                raise InvalidValueError(f"{part}_{name} must be a {dimensions}-dimensional array of {kind}")
            if array.dtype.kind == "f" and not (np.abs(array) <= _LARGEST_NUMBER).all():
                raise InvalidValueError(f"{part}_{name} holds numbers beyond {_LARGEST_NUMBER:g} or NaN")
    return {
        part: {name: np.ascontiguousarray(arrays[f"{part}_{name}"]) for name in kinds} for part, kinds in parts.items()
    }


def _model(header: dict[str, Any], parts: dict[str, dict[str, Array]]) -> SurrogateModel:
    """Build the surrogate from header and arrays; each part checks itself."""
    hardware = {
        str(name): finite(value, -_LARGEST_NUMBER, _LARGEST_NUMBER, f"hardware: {name}")
        for name, value in header["hardware"].items()
    }
    space = _space(header, header["space"])
    if set(hardware) != set(Hardware().description()) or header["features"] != list(feature_names(space, hardware)):
        raise InvalidValueError(f"the features of the surrogate do not match this version of ohmnas: {_ANEW}")
    variation = next((one for one in VARIATIONS if header["targets"] == [*DEFAULT_NAMES[:2], one.name]), None)
    if variation is None:
        third = " or ".join(one.name for one in VARIATIONS)
        raise InvalidValueError(f"the targets must be {', '.join(DEFAULT_NAMES[:2])} and {third}")
    ranker, std_trees, avm_trees = _trees(parts, _ENSEMBLES, header["bases"])
    source, line = _source(header["source"], parts, space.networks.name)
    return SurrogateModel(
        space=space,
        hardware=hardware,
        scales=Scales(**{name: finite(header["scales"][name], 1e-12, 1.0, name) for name in _SCALES}),
        ranker=ranker,
        spread_trees=(std_trees, avm_trees),
        process=GaussianProcess(**parts["process"]),
        spread_process=GaussianProcess(**parts["spread_process"]),
        mixture=Mixture(**{name: _pair(header["mixture"][name], name) for name in Mixture.__slots__}),
        calibration=Calibration(**parts["calibration"]),
        residuals=tuple(Residuals(**parts[f"{target}_residuals"]) for target in DEFAULT_NAMES),
        variation=variation,
        known=KnownNetworks(**parts["known"]),
        source=source,
        line=line,
        further=tuple(_further(name, values, parts) for name, values in header["further"].items()),
        settings={str(name): _setting(value, str(name)) for name, value in header["settings"].items()},
        provenance=check_provenance(header["provenance"]),
    )


def _space(values: Mapping[str, Any], name: str) -> Space:
    """Build the space of a header."""
    shape = values["input_shape"]
    if not isinstance(shape, list) or len(shape) != 3:
        raise InvalidValueError("input_shape must be channels, height and width")
    channels, height, width = (whole(size, 1, LARGEST_SIZE, "a size of input_shape") for size in shape)
    classes = whole(values["classes"], 1, LARGEST_SIZE, "classes")
    try:
        return space_of(name, (channels, height, width), classes)
    except UnknownNameError as error:
        raise InvalidValueError(str(error)) from error


def _shape(space: Space) -> dict[str, Any]:
    return {"input_shape": list(space.input_shape), "classes": space.classes}


def _ensembles(model: SurrogateModel) -> tuple[Trees, ...]:
    return model.ranker, *model.spread_trees


def _records(model: SurrogateModel) -> dict[str, object]:
    """Part -> object whose arrays are written."""
    records: dict[str, object] = dict(zip(_ENSEMBLES, _ensembles(model), strict=True))
    records |= {name: getattr(model, name) for name in ("process", "spread_process", "calibration", "known")}
    records |= {
        f"{target}_residuals": residuals for target, residuals in zip(DEFAULT_NAMES, model.residuals, strict=True)
    }
    for one in model.further:
        records |= {f"{one.target.name}_trees": one.trees, f"{one.target.name}_residuals": one.residuals}
    if model.source is not None and model.line is not None:
        records |= {**dict(zip(_SOURCE_ENSEMBLES, model.source.trees, strict=True)), "line": model.line}
        records["ranks"] = model.line.ranks
    return records


def _further(name: str, values: object, parts: dict[str, dict[str, Array]]) -> FurtherTarget:
    if not isinstance(values, list) or len(values) != 1 + len(_FURTHER_NUMBERS):
        raise InvalidValueError(f"{name} must have {1 + len(_FURTHER_NUMBERS)} numbers")
    base, mean, lowest, highest = (finite(value, -_LARGEST_NUMBER, _LARGEST_NUMBER, name) for value in values)
    trees = Trees(**parts[f"{name}_trees"], base=base)
    return FurtherTarget(TARGETS[name], trees, mean, lowest, highest, Residuals(**parts[f"{name}_residuals"]))


def _source_values(model: SurrogateModel) -> dict[str, Any] | None:
    if model.source is None or model.line is None:
        return None
    return {
        **_shape(model.source.space),
        "sources": list(model.source.sources),
        "bases": [trees.base for trees in model.source.trees],
    }


def _source(
    values: dict[str, Any] | None, parts: dict[str, dict[str, Array]], name: str
) -> tuple[SourceModel, Line] | tuple[None, None]:
    if values is None:
        return None, None
    sources = values["sources"]
    if not isinstance(sources, list) or not all(isinstance(source, str) for source in sources):
        raise InvalidValueError("source: sources must be a list of strings")
    trees = _trees(parts, _SOURCE_ENSEMBLES, values["bases"])
    line = Line(**parts["line"], ranks=Calibration(**parts["ranks"]))
    return SourceModel(_space(values, name), trees, tuple(sources)), line


def _trees(parts: dict[str, dict[str, Array]], names: tuple[str, ...], bases: object) -> tuple[Trees, ...]:
    if not isinstance(bases, list) or len(bases) != len(names):
        raise InvalidValueError(f"bases must be {len(names)} numbers")
    return tuple(
        Trees(**parts[name], base=finite(base, -_LARGEST_NUMBER, _LARGEST_NUMBER, f"base of {name}"))
        for name, base in zip(names, bases, strict=True)
    )


def _pair(values: object, name: str) -> Pair:
    if not isinstance(values, list) or len(values) != 2:
        raise InvalidValueError(f"mixture: {name} must be two numbers")
    return cast("Pair", tuple(finite(value, -_LARGEST_NUMBER, _LARGEST_NUMBER, f"mixture: {name}") for value in values))


def _setting(value: object, name: str) -> float | bool:
    if type(value) is bool:
        return value
    if type(value) is int:
        return whole(value, -(2**53), 2**53, f"settings: {name}")
    return finite(value, -_LARGEST_NUMBER, _LARGEST_NUMBER, f"settings: {name}")
