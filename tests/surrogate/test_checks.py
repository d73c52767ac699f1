"""A saved surrogate that somebody made to do harm, checksums and all, is refused in one sentence."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any

import pytest

from ohmnas.errors import BrokenFileError, InvalidValueError
from ohmnas.surrogate.persist import HEADER, load, save
from ohmnas.surrogate.surrogate import Surrogate

from .conftest import FAST, MODELS, Header, edit, model_path

Model = dict[str, Any]


def edit_model(folder: Path, name: str, change: Callable[[Model], object]) -> None:
    """Change a model in place and sign it, as somebody would who means harm."""
    path = model_path(folder, name)
    model = json.loads(path.read_text(encoding="utf-8"))
    change(model)
    path.write_text(json.dumps(model), encoding="utf-8")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    edit(folder, lambda header: header["models"][name].update(sha256=digest))


def trees_of(model: Model) -> list[Model]:
    trees = model["learner"]["gradient_booster"]["model"]["trees"]
    assert isinstance(trees, list)
    return trees


def chain(model: Model) -> None:
    """A tree of 100,001 nodes, each other one a leaf."""
    tree, nodes = trees_of(model)[0], 100_001
    inner = list(range(0, nodes - 1, 2))
    tree["tree_param"]["num_nodes"] = str(nodes)
    tree["left_children"] = [node + 1 if node % 2 == 0 and node < nodes - 1 else -1 for node in range(nodes)]
    tree["right_children"] = [node + 2 if node % 2 == 0 and node < nodes - 1 else -1 for node in range(nodes)]
    tree["parents"] = [2**31 - 1, *(parent for parent in inner for _ in range(2))]
    for key in ("split_indices", "split_type", "default_left"):
        tree[key] = [0] * nodes
    for key in ("split_conditions", "base_weights", "loss_changes", "sum_hessian"):
        tree[key] = [0.5] * nodes


TREE_EDITS: dict[str, Callable[[Model], object]] = {
    "child far out of range": lambda tree: tree["left_children"].__setitem__(0, 10**8),
    "child out of range": lambda tree: tree["right_children"].__setitem__(0, len(tree["parents"])),
    "negative child": lambda tree: tree["left_children"].__setitem__(0, -2),
    "child is its parent": lambda tree: tree["left_children"].__setitem__(0, 0),
    "child before its parent": lambda tree: tree["left_children"].__setitem__(1, 0),
    "shared child": lambda tree: tree["left_children"].__setitem__(0, tree["right_children"][0]),
    "one child": lambda tree: tree["left_children"].__setitem__(0, -1),
    "wrong parent": lambda tree: tree["parents"].__setitem__(1, 2),
    "feature out of range": lambda tree: tree["split_indices"].__setitem__(0, 10**8),
    "negative feature": lambda tree: tree["split_indices"].__setitem__(0, -1),
    "categorical split": lambda tree: tree["split_type"].__setitem__(0, 1),
    "categories": lambda tree: tree.update(categories=[1]),
    "infinite threshold": lambda tree: tree["split_conditions"].__setitem__(0, float("inf")),
    "threshold that is no float32": lambda tree: tree["split_conditions"].__setitem__(0, 1e39),
    "threshold that is no number": lambda tree: tree["split_conditions"].__setitem__(0, "1"),
    "leaf that is no label": lambda tree: tree["split_conditions"].__setitem__(-1, 1e9),
    "leaf that is no float": lambda tree: tree["split_conditions"].__setitem__(-1, 10**400),
    "short array": lambda tree: tree["sum_hessian"].pop(),
    "long array": lambda tree: tree["parents"].append(0),
    "missing array": lambda tree: tree.pop("right_children"),
    "count of nodes": lambda tree: tree["tree_param"].update(num_nodes="100000000"),
    "vectors as leaves": lambda tree: tree["tree_param"].update(size_leaf_vector="3"),
    "id out of range": lambda tree: tree.update(id=10**6),
    "no nodes": lambda tree: tree.update({key: [] for key, value in tree.items() if isinstance(value, list)}),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("what", TREE_EDITS)
def test_signed_trees_that_are_none_are_refused(what: str, name: str, folder: Path) -> None:
    edit_model(folder, name, lambda model: TREE_EDITS[what](trees_of(model)[1]))
    with pytest.raises(BrokenFileError, match=rf"{name}-.*(tree 1: |lacks or garbles|add up)"):
        load(folder)


MODEL_EDITS: dict[str, Callable[[Model], object]] = {
    "deep chain": chain,
    "no trees": lambda model: trees_of(model).clear(),
    "fewer trees than said": lambda model: trees_of(model).pop(),
    "other objective": lambda model: model["learner"]["objective"].update(name="multi:softmax"),
    "other booster": lambda model: model["learner"]["gradient_booster"].update(name="gblinear"),
    "features": lambda model: model["learner"]["learner_model_param"].update(num_feature="100000000"),
    "classes": lambda model: model["learner"]["learner_model_param"].update(num_class="7"),
    "base score": lambda model: model["learner"]["learner_model_param"].update(base_score="[nan]"),
    "trees of a round": lambda model: model["learner"]["gradient_booster"]["model"].update(iteration_indptr=[0, 10**9]),
    "classes of trees": lambda model: model["learner"]["gradient_booster"]["model"].update(tree_info=[7]),
    "version": lambda model: model.update(version=[0, 9, 0]),
    "version to come": lambda model: model.update(version=[4, 0, 0]),
    "no learner": lambda model: model.pop("learner"),
    "learner that is none": lambda model: model.update(learner=[1]),
}


@pytest.mark.parametrize("what", MODEL_EDITS)
def test_signed_models_that_are_none_are_refused(what: str, folder: Path) -> None:
    edit_model(folder, "ranker", MODEL_EDITS[what])
    with pytest.raises(BrokenFileError, match=r"ranker-\w+\.json is not a model of a surrogate"):
        load(folder)


SETTINGS = {**Surrogate().get_params(deep=False), **FAST}
for name in ("space", "hardware", "start"):
    del SETTINGS[name]
RESIDUALS = {"positions": [0.5], "scales": [1.0], "normalised": [0.0]}


@pytest.mark.parametrize(
    "change",
    [
        *({"settings": {**SETTINGS, "std_floor": value}} for value in (0, -1.0, 1.5, float("nan"), float("inf"), True)),
        *({"settings": {**SETTINGS, "rounds": value}} for value in (0, 2.5, 10**9)),
        *({"settings": {**SETTINGS, "margin": value}} for value in (0, float("nan"))),
        *({"spreads": value} for value in ([0.0, 1.0], [5e-324, 1e-300], [1.0], [1.0, float("nan")], 1.0)),
        *({"shares": value} for value in ([-0.1, 1.0], [1.1, 0.5], [0.5])),
        *({"extremes": value} for value in ([[0.0, 1.0], [1.0, 0.5]], [[0.0, 0.0]], [[0.0], [1.0]])),
        {"intervals": []},
        *({"intervals": [{**RESIDUALS, "scales": value}] * 3} for value in ([0.0], [1.0, 1.0], [float("nan")], 1.0)),
        *({"intervals": [{**RESIDUALS, "normalised": value}] * 3} for value in ([], [1.0, 0.0], ["a"])),
        *({"log_std_mean": value} for value in (0.5, float("-inf"), "0")),
        *({"avm_mean": value} for value in (-4.5, float("nan"), 10**400)),
        *(
            {"input_shape": shape}
            for shape in ([1, 0, 8], [1, 8], [1, 8, 8, 8], [1, 8.0, 8], [1, 65537, 8], [True, 8, 8])
        ),
        *({"classes": value} for value in (-5000, 0, 65537, 10.0, float("inf"))),
        *({"calibration": {"scores": [0.0, 1.0], "values": values}} for values in ([0.5, 0.5], [0.6, 0.5], [0.5, 1.1])),
        *({"calibration": {"scores": scores, "values": [0.5, 0.6]}} for scores in ([1.0, 0.0], [0.0, float("nan")])),
    ],
    ids=str,
)
def test_signed_values_that_no_surrogate_can_have_are_refused(change: Header, folder: Path) -> None:
    edit(folder, lambda header: header.update(change))
    with pytest.raises(BrokenFileError, match=HEADER):
        load(folder)


@pytest.mark.parametrize("key", ["table_sha256", "task", "hardware", "fidelity", "rows", "seen"])
def test_provenance_needs_what_a_search_relies_on(key: str, surrogate: Surrogate, folder: Path) -> None:
    edit(folder, lambda header: header["provenance"].pop(key))
    with pytest.raises(BrokenFileError, match=f"provenance: {key}"):
        load(folder)
    poor = copy(surrogate)
    poor.provenance_ = {name: value for name, value in surrogate.provenance_.items() if name != key}
    with pytest.raises(InvalidValueError, match=f"provenance: {key}"):
        save(poor, folder)


@pytest.mark.parametrize(
    "change",
    [
        {"max_params": "x"},
        {"max_params": 10.5},
        {"min_params": 300_000},
        {"max_macs": 0},
        {"max_macs": 10**400},
        {"min_params": None},
        {"more": 1},
    ],
    ids=str,
)
def test_costs_seen_are_whole_numbers_in_their_order(change: Header, folder: Path) -> None:
    edit(folder, lambda header: header["provenance"]["seen"].update(change))
    with pytest.raises(BrokenFileError, match="seen"):
        load(folder)


def test_further_provenance_is_kept_if_results_can_carry_it(folder: Path) -> None:
    edit(folder, lambda header: header["provenance"].update(by="me"))
    assert load(folder).provenance_["by"] == "me"
    edit(folder, lambda header: header["provenance"].update(by=float("nan")))
    with pytest.raises(BrokenFileError, match="provenance: by"):
        load(folder)


PROCESS_EDITS: dict[str, Callable[[Model], object]] = {
    "no rows": lambda process: process.update(inputs=[], weights=[]),
    "rows without weights": lambda process: process["weights"].pop(),
    "a short row": lambda process: process["inputs"][0].pop(),
    "a weight too many": lambda process: process["weights"][0].append(0.0),
    "a short scale": lambda process: process["scale"].pop(),
    "infinite": lambda process: process["levels"].__setitem__(0, float("inf")),
    "text": lambda process: process["centre"].__setitem__(0, "0"),
    "no levels": lambda process: process.pop("levels"),
    "far beyond": lambda process: process.update(
        centre=[1e12] * len(process["centre"]), scale=[1e12] * len(process["scale"])
    ),
    "too many rows": lambda process: process.update(inputs=process["inputs"] * 8, weights=process["weights"] * 8),
}


@pytest.mark.parametrize("what", PROCESS_EDITS)
def test_signed_processes_that_are_none_are_refused(what: str, folder: Path) -> None:
    edit_model(folder, "process", PROCESS_EDITS[what])
    with pytest.raises(BrokenFileError, match=r"process-\w+\.json is not a process of a surrogate|a process has"):
        load(folder)
