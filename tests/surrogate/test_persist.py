"""A surrogate on disk comes back as it was, or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xgboost as xgb
from numpy.testing import assert_array_equal

from ohmnas.errors import BrokenFileError, InvalidValueError, StorageError
from ohmnas.surrogate.learning import HEADS
from ohmnas.surrogate.persist import FORMAT, HEADER, load, save
from ohmnas.surrogate.surrogate import Surrogate
from ohmnas.surrogate.transfer import Start

from .conftest import FAST, MODELS, PARTS, SPACE, Header, edit, learning_set, model_path


def test_loaded_surrogate_predicts_exactly_the_same(surrogate: Surrogate, folder: Path) -> None:
    loaded = load(folder)
    population = SPACE.sample_uniform(100, np.random.default_rng(1))
    before, after = surrogate.forecast(population), loaded.forecast(population)
    for head in HEADS:
        assert_array_equal(getattr(before, head), getattr(after, head))
    assert (loaded.space_, loaded.hardware_, loaded.provenance_) == (
        surrogate.space_,
        surrogate.hardware_,
        surrogate.provenance_,
    )
    assert loaded.get_params() == surrogate.get_params()


def test_reading_and_predicting_never_ask_the_installed_xgboost(
    surrogate: Surrogate, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its versions differ in what they read in each other's files."""
    population = SPACE.sample_uniform(20, np.random.default_rng(1))
    helped = Surrogate.learn(learning_set(20, seed=8), start=Start.fit([learning_set(60)]), **{**FAST, "depth": 12})
    save(helped, folder.parent / "helped")
    before = surrogate.predict(population), helped.predict(population)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("XGBoost was asked")

    for name in ("__init__", "load_model", "inplace_predict", "predict", "save_raw", "load_config"):
        monkeypatch.setattr(xgb.Booster, name, refuse)
    for path, expected in zip((folder, folder.parent / "helped"), before, strict=True):
        loaded = load(path)
        assert_array_equal(loaded.predict(population), expected)
        save(loaded, folder.parent / "again")


def test_saving_what_was_loaded_writes_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    save(load(folder), tmp_path / "again")
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()} == files


def test_folder_holds_json_alone_and_nothing_that_can_run(folder: Path) -> None:
    paths = list(folder.iterdir())
    assert len(paths) == 1 + len(PARTS)
    for path in paths:
        assert path.suffix == ".json"
        json.loads(path.read_text(encoding="utf-8"))  # a pickle is not


def test_saving_over_another_surrogate_leaves_only_the_new_ones_files(folder: Path) -> None:
    before = {path.name for path in folder.iterdir()}
    other = Surrogate.learn(learning_set(40, seed=8), **FAST)
    save(other, folder)
    after = {path.name for path in folder.iterdir()}
    assert len(after) == 1 + len(PARTS)
    assert before & after == {HEADER}
    population = SPACE.sample_uniform(10, np.random.default_rng(1))
    assert_array_equal(load(folder).forecast(population).avm, other.forecast(population).avm)


@pytest.mark.parametrize("name", ["notes.txt", "ranker-notes.json", "avm_model-0123456789ab.json", "std_model-.json"])
def test_saving_spares_files_of_others(name: str, folder: Path) -> None:
    (folder / name).write_text("mine", encoding="utf-8")
    save(Surrogate.learn(learning_set(40, seed=8), **FAST), folder)
    assert (folder / name).read_text(encoding="utf-8") == "mine"
    assert len(list(folder.iterdir())) == 1 + len(PARTS) + 1


@pytest.mark.parametrize("named", ["notes.json", "../ranker-0123456789ab.json", 7, None])
def test_headers_that_name_other_files_delete_none(named: object, folder: Path, surrogate: Surrogate) -> None:
    target = folder / str(named)
    target.write_text("mine", encoding="utf-8")
    edit(folder, lambda header: header["models"]["ranker"].update(file=named))
    save(surrogate, folder)
    assert target.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("text", ["", "[]", '{"models": 1}', "[" * 100_000])
def test_saving_over_what_is_no_surrogate_makes_it_one(text: str, folder: Path, surrogate: Surrogate) -> None:
    (folder / HEADER).write_text(text, encoding="utf-8")
    save(surrogate, folder)
    assert load(folder).provenance_ == surrogate.provenance_


def test_old_models_that_cannot_be_deleted_do_not_matter(folder: Path) -> None:
    path = model_path(folder, "ranker")
    path.unlink()
    path.mkdir()
    save(Surrogate.learn(learning_set(40, seed=8), **FAST), folder)
    load(folder)


def test_folder_that_cannot_be_made_is_a_storage_error(surrogate: Surrogate, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StorageError, match="file"):
        save(surrogate, tmp_path / "file")


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("keep", [0.0, 0.5, 0.999])
def test_truncated_models_are_refused(name: str, keep: float, folder: Path) -> None:
    path = model_path(folder, name)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(BrokenFileError, match="truncated or edited"):
        load(folder)


@pytest.mark.parametrize("name", MODELS)
def test_edited_models_are_refused(name: str, folder: Path) -> None:
    path = model_path(folder, name)
    content = path.read_text(encoding="utf-8")
    path.write_text(content.replace('"base_score":"', '"base_score":"1', 1), encoding="utf-8")
    assert path.read_text(encoding="utf-8") != content
    with pytest.raises(BrokenFileError, match="truncated or edited"):
        load(folder)


@pytest.mark.parametrize("name", [*PARTS, HEADER])
def test_missing_files_are_named(name: str, folder: Path) -> None:
    path = folder / HEADER if name == HEADER else model_path(folder, name)
    path.unlink()
    with pytest.raises(BrokenFileError, match=path.name):
        load(folder)


def test_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenFileError, match="holds no surrogate"):
        load(tmp_path / "nowhere")
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(BrokenFileError, match="file"):
        load(tmp_path / "file")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"format": "1"}', "\0", '{"format": 1}'])
def test_headers_that_are_none_are_refused(text: str, folder: Path) -> None:
    (folder / HEADER).write_text(text, encoding="utf-8")
    with pytest.raises(BrokenFileError, match=HEADER):
        load(folder)


def test_newer_formats_are_refused_with_advice(folder: Path) -> None:
    edit(folder, lambda header: header.update(format=FORMAT + 1))
    with pytest.raises(BrokenFileError, match=f"format {FORMAT + 1}, this ohmnas reads {FORMAT}: update"):
        load(folder)


def test_other_spaces_are_refused(folder: Path) -> None:
    edit(folder, lambda header: header.update(space="cells-2"))
    with pytest.raises(BrokenFileError, match="of the space 'cells-2'"):
        load(folder)


@pytest.mark.parametrize("change", [list.reverse, list.pop, lambda names: names.append("x")])
def test_other_features_are_refused(change: Callable[[list[str]], object], folder: Path) -> None:
    edit(folder, lambda header: change(header["features"]))
    with pytest.raises(BrokenFileError, match="other features"):
        load(folder)


def test_of_a_key_that_occurs_twice_the_checked_value_is_used(surrogate: Surrogate, folder: Path) -> None:
    path = model_path(folder, "ranker")
    text = path.read_text(encoding="utf-8").replace('"left_children":', '"left_children":[100000000],"left_children":')
    path.write_text(text, encoding="utf-8")
    edit(folder, lambda header: header["models"]["ranker"].update(sha256=hashlib.sha256(text.encode()).hexdigest()))
    population = SPACE.sample_uniform(10, np.random.default_rng(1))
    assert_array_equal(load(folder).forecast(population).avm, surrogate.forecast(population).avm)


KEYS = (
    *("input_shape", "classes", "features", "hardware", "settings", "log_std_mean", "avm_mean"),
    *("spreads", "shares", "extremes", "calibration", "intervals", "start", "provenance", "models"),
)


@pytest.mark.parametrize("key", KEYS)
def test_missing_keys_of_the_header_are_named(key: str, folder: Path) -> None:
    edit(folder, lambda header: header.pop(key))
    with pytest.raises(BrokenFileError, match=key):
        load(folder)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("value", [None, "text", 7, [1], {"a": 1}], ids=str)
def test_values_of_another_kind_are_refused(key: str, value: object, folder: Path) -> None:
    edit(folder, lambda header: header.update({key: value}))
    if (key, value) in (("classes", 7), ("start", None)):
        load(folder)  # of the right kind
    else:
        with pytest.raises(BrokenFileError, match=HEADER):
            load(folder)


@pytest.mark.parametrize("knots", [{"scores": [], "values": []}, {"scores": [1.0], "values": [1.0, 2.0]}])
def test_calibrations_without_or_with_unequal_knots_are_refused(knots: dict[str, list[float]], folder: Path) -> None:
    edit(folder, lambda header: header.update(calibration=knots))
    with pytest.raises(BrokenFileError, match="knots"):
        load(folder)


def test_models_in_each_others_place_are_refused(folder: Path) -> None:
    edit(folder, lambda header: header["models"].update(ranker=header["models"]["avm_model"]))
    with pytest.raises(BrokenFileError, match="features"):
        load(folder)


def test_models_outside_of_the_folder_are_not_read(folder: Path) -> None:
    name = model_path(folder, "ranker").name
    (folder / name).rename(folder.parent / name)
    edit(folder, lambda header: header["models"]["ranker"].update(file=f"../{name}"))
    with pytest.raises(BrokenFileError, match=name):
        load(folder)


@pytest.mark.parametrize(
    "change", [{"log_std_mean": -0.5}, {"avm_mean": -1.0}, {"classes": 11}, {"input_shape": [3, 9, 9]}]
)
def test_edited_numbers_of_the_header_are_refused(change: Header, folder: Path) -> None:
    edit(folder, lambda header: header.update(change), sign=False)
    with pytest.raises(BrokenFileError, match="edited"):
        load(folder)


def test_layout_of_the_header_does_not_matter(surrogate: Surrogate, folder: Path) -> None:
    edit(folder, lambda _: None, sign=False)
    assert load(folder).std_floor == surrogate.std_floor


def test_a_surrogate_with_a_start_comes_back_as_it_was(folder: Path) -> None:
    helped = Surrogate.learn(learning_set(20, seed=8), start=Start.fit([learning_set(60)]), **FAST)
    save(helped, folder)
    loaded = load(folder)
    population = SPACE.sample_uniform(50, np.random.default_rng(1))
    assert_array_equal(loaded.predict(population), helped.predict(population))
    assert loaded.start is not None
    assert loaded.start.sources == ("digits on pcm",)
    assert len(list(folder.iterdir())) == 1 + len(PARTS) + len(MODELS)
    save(loaded, folder)
    assert_array_equal(load(folder).predict(population), helped.predict(population))


def test_a_loaded_start_is_not_learned_with_as_if_it_had_seen_nothing(folder: Path) -> None:
    rows = learning_set(20, seed=8)
    save(Surrogate.learn(rows, start=Start.fit([learning_set(60)]), **FAST), folder)
    with pytest.raises(InvalidValueError, match="learn it from its table again"):
        load(folder).fit(rows.population, rows.matrix())


def test_settings_may_be_numpys_numbers(tmp_path: Path) -> None:
    save(Surrogate.learn(learning_set(20), **{**FAST, "rounds": np.int64(10)}), tmp_path)
    assert load(tmp_path).rounds == 10


@pytest.mark.parametrize(
    "change",
    [
        {"sources": "digits"},
        {"line": {"slopes": [[0.0] * 3] * 2, "heights": [0.0] * 3, "share": 0.5}},
        {"line": {"slopes": [[0.0] * 3] * 3, "heights": [0.0] * 3, "share": 2.0}},
        {"line": {"slopes": [[0.0] * 2] * 3, "heights": [0.0] * 3, "share": 0.5}},
        {"line": None},
        {"classes": 0},
    ],
    ids=str,
)
def test_starts_that_are_none_are_refused(change: Header, folder: Path) -> None:
    save(Surrogate.learn(learning_set(20, seed=8), start=Start.fit([learning_set(60)]), **FAST), folder)
    edit(folder, lambda header: header["start"].update(change))
    with pytest.raises(BrokenFileError, match=HEADER):
        load(folder)


def test_a_surrogate_that_nobody_can_trace_is_not_saved(tmp_path: Path) -> None:
    data = learning_set(20)
    with pytest.raises(InvalidValueError, match="provenance"):
        save(Surrogate(SPACE, **FAST).fit(data.population, data.matrix()), tmp_path)
