"""Checks of what a saved surrogate holds, before anything uses it: its checksums tell damage from care, not malice."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError
from ohmnas.spaces.chips import CHIP_GENE_NAMES, HIGH, LOW

LARGEST_SIZE: Final = 65536
"""Of an image side or a number of classes, as in the cards of tables: larger ones would overflow the costs."""
LARGEST_COUNT: Final = 2**53
"""Of parameters and MACs: up to here a float holds every whole number."""
LARGEST_PREDICTION: Final = 1e6
"""Of what all trees of a model can add up to: far beyond any score or label, far within float32."""
DEEPEST_TREE: Final = 1000
"""Levels: XGBoost walks some trees by recursion, and deep ones would overflow its stack."""

OLDEST_XGBOOST: Final = 2
NEWEST_XGBOOST: Final = 3
"""Major versions whose files are understood; the file of another may mean something else by the same words."""

_FLOATS: Final = ("split_conditions", "base_weights", "loss_changes", "sum_hessian")
_WHOLES: Final = ("left_children", "right_children", "parents", "split_indices", "split_type", "default_left")
_NO_PARENT: Final = (-1, 2**31 - 1)
"""Versions of XGBoost differ in what the root's parent is."""


def whole(value: object, low: int, high: int, name: str) -> int:
    """The value, if it is a whole number from low to high.

    Raises:
        InvalidValueError: it is not; the message has the name.
    """
    if type(value) is not int or not low <= value <= high:
        raise InvalidValueError(f"{name} is not a whole number from {low} to {high}")
    return value


def finite(value: object, low: float, high: float, name: str) -> float:
    """The value, if it is a finite number from low to high.

    Raises:
        InvalidValueError: it is not; the message has the name.
    """
    if type(value) not in {int, float}:
        raise InvalidValueError(f"{name} is not a number")
    number = _float(value)
    if not (math.isfinite(number) and low <= number <= high):
        raise InvalidValueError(f"{name} is not a finite number from {low:g} to {high:g}")
    return number


def check_provenance(provenance: object) -> dict[str, Any]:
    """What a surrogate says of its rows, if it says all that a search relies on.

    Args:
        provenance: as `LearningSet.provenance`; further keys may hold text or numbers.

    Raises:
        InvalidValueError: a key is missing or its value of another kind.
    """
    if not isinstance(provenance, dict):
        raise InvalidValueError("provenance is not an object")
    chip = provenance.get("chip", {})
    if not isinstance(chip, dict):
        raise InvalidValueError("provenance: chip is not an object")
    for key, value in [*provenance.items(), *chip.items()]:
        plain = isinstance(value, str | int | None) or (isinstance(value, float) and math.isfinite(value))
        if key not in {"seen", "chip", "versions"} and not plain:  # it goes on into results, which are JSON
            raise InvalidValueError(f"provenance: {key} is neither text nor a finite number")
    for key in ("table_sha256", "task", "hardware", "fidelity"):
        if not isinstance(provenance.get(key), str):
            raise InvalidValueError(f"provenance: {key} is missing or no text")
    whole(provenance.get("rows"), 1, LARGEST_COUNT, "provenance: rows")
    versions = provenance.get("versions", {})
    if not isinstance(versions, dict) or not all(isinstance(version, str) for version in versions.values()):
        raise InvalidValueError("provenance: versions are not the version of each package as text")
    seen = provenance.get("seen")
    if not isinstance(seen, dict) or set(seen) - {"chips"} != {"min_params", "max_params", "max_macs"}:
        raise InvalidValueError("provenance: seen is not min_params, max_params and max_macs")
    _check_chips(seen.get("chips", {}))
    least = whole(seen["min_params"], 0, LARGEST_COUNT, "provenance: seen.min_params")
    whole(seen["max_params"], max(least, 1), LARGEST_COUNT, "provenance: seen.max_params")
    whole(seen["max_macs"], 1, LARGEST_COUNT, "provenance: seen.max_macs")
    return provenance


def _check_chips(seen: object) -> None:
    """Least and most of the genes of chips, if there are any."""
    if not isinstance(seen, dict) or not set(seen) <= set(CHIP_GENE_NAMES):
        raise InvalidValueError(f"provenance: seen.chips is not of {', '.join(CHIP_GENE_NAMES)}")
    for name, low, high in zip(CHIP_GENE_NAMES, LOW.tolist(), HIGH.tolist(), strict=True):
        ends = seen.get(name, [low, high])
        if not isinstance(ends, list) or len(ends) != 2:
            raise InvalidValueError(f"provenance: seen.chips.{name} is not least and most")
        least = whole(ends[0], low, high, f"provenance: seen.chips.{name}")
        whole(ends[1], least, high, f"provenance: seen.chips.{name}")


def check_model(model: Any, features: int) -> None:
    """Check a model in XGBoost's JSON: XGBoost itself follows whatever indices it finds, out of its memory too.

    Args:
        model: the parsed file.
        features: how many the model must have.

    Raises:
        InvalidValueError: it is not a sum of regression trees on so many features, or a tree is none.
    """
    try:
        learner = model["learner"]
        booster, objective = learner["gradient_booster"], learner["objective"]["name"]
        trees, shape = booster["model"]["trees"], learner["learner_model_param"]
        if booster["name"] != "gbtree" or objective != "reg:squarederror":
            raise InvalidValueError(f"it is a {booster['name']!r} for {objective!r}, not a gbtree for reg:squarederror")
        if shape["num_feature"] != str(features):
            raise InvalidValueError(f"it has {shape['num_feature']} features, not the {features} of its header")
        if shape["num_class"] != "0" or shape["num_target"] != "1":
            raise InvalidValueError("it predicts several values, not one")
        if any(learner.get(key) for key in ("attributes", "feature_names", "feature_types")):
            raise InvalidValueError("it has attributes or features of its own")
        _check_version(model["version"])
        _check_counts(booster["model"], len(trees))
        reach = abs(_base_score(shape["base_score"]))
        for number, tree in enumerate(trees):
            try:
                whole(tree["id"], number, number, "id")
                reach += _check_tree(tree, features)
            except InvalidValueError as error:
                raise InvalidValueError(f"tree {number}: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidValueError(f"it lacks or garbles {error}") from error
    if not reach <= LARGEST_PREDICTION:
        raise InvalidValueError(f"its leaves add up to {reach:g}, which no label can be")


def _check_version(version: object) -> None:
    if not isinstance(version, list) or len(version) != 3:
        raise InvalidValueError("its version is not three numbers")
    for part in version:
        whole(part, 0, 10**6, "its version")
    if not OLDEST_XGBOOST <= version[0] <= NEWEST_XGBOOST:
        known = f"{OLDEST_XGBOOST} to {NEWEST_XGBOOST}"
        raise InvalidValueError(f"it was written by XGBoost {'.'.join(map(str, version))}; known are versions {known}")


def _check_counts(model: dict[str, Any], trees: int) -> None:
    """The model's counts are those of its trees, and each round has one."""
    counts = model["gbtree_model_param"]
    if not isinstance(model["trees"], list) or not trees or counts["num_trees"] != str(trees):
        raise InvalidValueError(f"it has {trees} trees and says {counts['num_trees']}")
    rounds = model.get("iteration_indptr", list(range(trees + 1)))
    if counts["num_parallel_tree"] != "1" or model["tree_info"] != [0] * trees or rounds != list(range(trees + 1)):
        raise InvalidValueError("it has not one tree for each round")
    if any(model.get("cats", {}).values()):
        raise InvalidValueError("it has categories, which no feature here has")


def _base_score(text: object) -> float:
    """From XGBoost 3 on, it is written as a list."""
    try:
        score = float(str(text).removeprefix("[").removesuffix("]"))
    except ValueError as error:
        raise InvalidValueError("its base_score is not a number") from error
    return finite(score, -LARGEST_PREDICTION, LARGEST_PREDICTION, "its base_score")


def _check_tree(tree: dict[str, Any], features: int) -> float:
    """Returns the largest absolute value of a leaf."""
    nodes = len(tree["left_children"])
    counts = tree["tree_param"]
    said = (counts["num_nodes"], counts["num_deleted"], counts["num_feature"])
    if not nodes or said != (str(nodes), "0", str(features)) or counts["size_leaf_vector"] not in {"0", "1"}:
        raise InvalidValueError(f"it has {nodes} nodes on {features} features with one value each and says otherwise")
    if any(tree.get(key) for key in ("categories", "categories_nodes", "categories_segments", "categories_sizes")):
        raise InvalidValueError("it splits by categories")
    left, right, parents, split, kind, default = (_wholes(tree, name, nodes) for name in _WHOLES)
    values, *_ = (_finites(tree, name, nodes) for name in _FLOATS)
    if kind.any() or (default & ~1).any():
        raise InvalidValueError("a node splits neither to the left nor to the right of a number")
    if not ((split >= 0) & (split < features)).all():
        raise InvalidValueError(f"a node splits by a feature that is none of the {features}")
    leaf = left == -1
    if (leaf != (right == -1)).any():
        raise InvalidValueError("a node has one child")
    inner = np.flatnonzero(~leaf)
    children = np.concatenate([left[inner], right[inner]])
    # Each node but the root is the child of one earlier node: so every path is short of the nodes and ends in a leaf.
    if not np.array_equal(np.sort(children), np.arange(1, nodes)) or (children <= np.tile(inner, 2)).any():
        raise InvalidValueError("its nodes are no tree: a child is out of range, shared or before its parent")
    if parents[0] not in _NO_PARENT or (parents[children] != np.tile(inner, 2)).any():
        raise InvalidValueError("its nodes are no tree: a parent is not the one of its child")
    level = np.zeros(1, dtype=np.int64)
    for _ in range(DEEPEST_TREE):
        level = level[~leaf[level]]
        level = np.concatenate([left[level], right[level]])
        if not len(level):
            return float(np.abs(values[leaf]).max())
    raise InvalidValueError(f"it has {DEEPEST_TREE} levels or more")


def _wholes(tree: dict[str, Any], name: str, nodes: int) -> npt.NDArray[np.int64]:
    values = _list(tree, name, nodes)
    if not set(map(type, values)) <= {int, bool} or not all(abs(value) < 2**31 for value in values):
        raise InvalidValueError(f"{name} are not whole numbers of 32 bits")
    return np.array(values, dtype=np.int64)


def _finites(tree: dict[str, Any], name: str, nodes: int) -> npt.NDArray[np.float64]:
    values = _list(tree, name, nodes)
    if not set(map(type, values)) <= {int, float}:
        raise InvalidValueError(f"{name} are not numbers")
    numbers = np.array([_float(value) for value in values])
    if not (np.abs(numbers) <= np.finfo(np.float32).max).all():
        raise InvalidValueError(f"{name} are not finite")
    return numbers


def _list(tree: dict[str, Any], name: str, nodes: int) -> list[Any]:
    values = tree[name]
    if not isinstance(values, list) or len(values) != nodes:
        raise InvalidValueError(f"{name} are not one for each of {nodes} nodes")
    return values


def _float(value: Any) -> float:
    """Infinity for whole numbers that no float can hold."""
    try:
        return float(value)
    except OverflowError:
        return math.inf
