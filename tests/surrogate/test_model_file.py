"""A surrogate on disk comes back as it was, or not at all."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ohmnas.errors import BrokenFileError, InvalidValueError, StorageError
from ohmnas.npz import write_arrays
from ohmnas.surrogate.fit.transfer import fit_source
from ohmnas.surrogate.model import SurrogateModel
from ohmnas.surrogate.model_file import FORMAT, SUFFIX, file_of, read_header, read_model
from ohmnas.surrogate.surrogate import Surrogate
from ohmnas.targets import DEFAULT_NAMES

from .conftest import FAST, SPACE, Header, edit, edit_array, learned, learning_set, names


def test_loaded_surrogate_predicts_exactly_the_same(surrogate: SurrogateModel, file: Path) -> None:
    loaded = read_model(file)
    new = SPACE.sample_uniform(100, np.random.default_rng(1))
    population = np.concatenate([new, surrogate.known.genomes])
    before, after = surrogate.estimate(population), loaded.estimate(population)
    for target in DEFAULT_NAMES:
        assert_array_equal(before[target], after[target])
    for name in ("space", "hardware", "provenance", "settings", "scales", "mixture"):
        assert getattr(loaded, name) == getattr(surrogate, name), name


def test_saving_what_was_loaded_writes_the_same_bytes(file: Path, tmp_path: Path) -> None:
    again = read_model(file).save(tmp_path / "again.npz")
    assert again.read_bytes() == file.read_bytes()


def test_paths_may_be_texts_with_or_without_a_suffix(surrogate: SurrogateModel, tmp_path: Path) -> None:
    written = surrogate.save(f"{tmp_path}/new/fitted")
    assert written == tmp_path / "new" / "fitted.npz"
    for path in (written, str(written), str(written).removesuffix(SUFFIX)):
        assert read_model(path).provenance == surrogate.provenance
    assert file_of("pcm.v2") == Path("pcm.v2.npz")


def test_numpy_reads_the_file_without_pickle(file: Path) -> None:
    with np.load(file, allow_pickle=False) as arrays:
        header = json.loads(arrays["header"].tobytes())
        assert all(arrays[name].dtype.kind in "uif" for name in arrays)
    assert header["format"] == FORMAT
    assert header["provenance"]["versions"].keys() >= {"ohmnas", "numpy", "xgboost", "scikit-learn", "scipy"}


def test_loading_and_predicting_need_numpy_alone(file: Path) -> None:
    script = (
        "import sys, numpy as np\n"
        "from ohmnas.surrogate import load_surrogate\n"
        "model = load_surrogate(sys.argv[1])\n"
        "population = model.space.sample(200, np.random.default_rng(0), max_params=200_000)\n"
        "model.quantile(model.estimate(population), 0.9)\n"
        "print(sorted({'xgboost', 'sklearn', 'scipy', 'pandas', 'joblib', 'torch', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script, str(file)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_surrogate_with_a_source_model_comes_back_as_it_was(tmp_path: Path) -> None:
    rows = learning_set(20, seed=8)
    helped = learned(rows, source=fit_source([learning_set(60)]))
    loaded = read_model(helped.save(tmp_path / "s"))
    population = np.concatenate([SPACE.sample_uniform(50, np.random.default_rng(1)), rows.population])
    assert_array_equal(loaded.predict(population), helped.predict(population))
    assert loaded.source is not None
    assert loaded.source.sources == ("digits on pcm",)
    assert loaded.save(tmp_path / "t").read_bytes() == (tmp_path / "s.npz").read_bytes()
    with pytest.raises(InvalidValueError, match="fit it to its table again"):
        learned(rows, source=loaded.source)


def test_settings_may_be_numpys_numbers(tmp_path: Path) -> None:
    path = learned(learning_set(20), rounds=np.int64(10)).save(tmp_path / "s")
    assert read_model(path).settings["rounds"] == 10


def test_a_surrogate_that_nobody_can_trace_is_not_saved(tmp_path: Path) -> None:
    data = learning_set(20)
    with pytest.raises(InvalidValueError, match="provenance"):
        Surrogate(SPACE, **FAST).fit(data.population, data.matrix()).model_.save(tmp_path / "s")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_a_storage_error(surrogate: SurrogateModel, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("", encoding="utf-8")
    with pytest.raises(StorageError, match="cannot create the folder"):
        surrogate.save(tmp_path / "a" / "s")


def test_folders_and_missing_files_are_refused_with_advice(tmp_path: Path) -> None:
    with pytest.raises(BrokenFileError, match="there is no file with this name"):
        read_model(tmp_path / "nowhere")
    with pytest.raises(BrokenFileError, match=r"is a folder, but a surrogate is a file: .*ohmnas fit --table"):
        read_model(tmp_path)
    (tmp_path / "surrogate.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BrokenFileError, match=r"an older version of ohmnas: create a new one with ohmnas fit --table"):
        read_model(tmp_path)


def test_other_archives_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "images.npz"
    np.savez(path, x_train=np.zeros(3))
    with pytest.raises(BrokenFileError, match="lacks the array 'header'"):
        read_model(path)
    np.savez(path, header=np.zeros(3))
    with pytest.raises(BrokenFileError, match="is not a surrogate"):
        read_model(path)
    for text in (b"", b"{", b"[]", b"null", b'{"format": "6"}', b"[" * 60_000, b"\xff"):
        write_arrays(path, {"header": np.frombuffer(text, dtype=np.uint8)})
        with pytest.raises(BrokenFileError, match=r"has a header that is|has no surrogate header"):
            read_header(path)


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.999])
def test_truncated_files_are_refused(keep: float, file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(BrokenFileError, match=file.name):
        read_model(file)


def test_newer_and_older_formats_are_refused_with_advice(file: Path) -> None:
    edit(file, lambda header: header.update(format=FORMAT + 1))
    with pytest.raises(BrokenFileError, match=f"format {FORMAT + 1}, but this .* reads format {FORMAT}: update"):
        read_model(file)
    edit(file, lambda header: header.update(format=FORMAT - 1))
    with pytest.raises(BrokenFileError, match=r"an older version of ohmnas .*create a new one"):
        read_model(file)


def test_other_spaces_are_refused(file: Path) -> None:
    edit(file, lambda header: header.update(space="cells-2"))
    with pytest.raises(BrokenFileError, match="unknown space 'cells-2': choose resnet-1"):
        read_model(file)


@pytest.mark.parametrize("change", [list.reverse, list.pop, lambda names: names.append("x")])
def test_other_features_are_refused(change: Callable[[list[str]], object], file: Path) -> None:
    edit(file, lambda header: change(header["features"]))
    with pytest.raises(BrokenFileError, match="features of the surrogate do not match"):
        read_model(file)


KEYS = (
    *("input_shape", "classes", "targets", "features", "hardware", "scales"),
    *("settings", "bases", "mixture", "source", "provenance"),
)


@pytest.mark.parametrize("key", KEYS)
def test_missing_keys_of_the_header_are_named(key: str, file: Path) -> None:
    edit(file, lambda header: header.pop(key))
    with pytest.raises(BrokenFileError, match=key):
        read_model(file)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("value", [None, "text", 7, [1], {"a": 1}], ids=str)
def test_values_of_another_kind_are_refused(key: str, value: object, file: Path) -> None:
    edit(file, lambda header: header.update({key: value}))
    if (key, value) in (("classes", 7), ("source", None), ("settings", {"a": 1})):
        read_model(file)  # of the right kind
    else:
        with pytest.raises(BrokenFileError, match=file.name):
            read_model(file)


def test_each_array_is_needed_in_its_type_and_dimensions_with_finite_numbers(file: Path) -> None:
    whole = file.read_bytes()
    for name in names(file):
        if name == "header":
            continue
        for change, message in (
            (lambda array: array.astype(np.float16), "must be a [0-9]-dimensional array of"),
            (lambda array: array[None], "must be a [0-9]-dimensional array of"),
            (lambda array: np.full_like(array, np.nan, dtype=np.float64), "must be a [0-9]-dimensional array|numbers"),
        ):
            edit_array(file, name, change)
            with pytest.raises(BrokenFileError, match=f"{name} ({message}|holds numbers beyond)"):
                read_model(file)
            file.write_bytes(whole)


EDITS: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray], str]] = {
    "a tree too many": ("ranker_sizes", lambda a: np.append(a, a[:1]), "do not add up"),
    "a tree of no node": ("ranker_sizes", lambda a: np.append(a, a[:1] * 0), "do not add up"),
    "a feature far out of range": (
        "ranker_splits",
        lambda a: np.where(a >= 0, 30_000, a).astype("i2"),
        "feature beyond",
    ),
    "a feature below": ("std_trees_splits", lambda a: np.where(a >= 0, -7, a).astype("i2"), "negative feature"),
    "leaves alone": ("avm_trees_splits", lambda a: np.full_like(a, -1), "one more leaf"),
    "leaves first": ("avm_trees_splits", lambda a: a[::-1].copy(), "one more leaf|before its parent"),
    "leaves that are huge": ("ranker_numbers", lambda a: np.full_like(a, 1e9), "leaves of the trees add up"),
    "no rows of a process": ("process_inputs", lambda a: a[:0], "Gaussian process"),
    "a feature that no row has": ("process_columns", lambda a: a + 1000, "Gaussian process"),
    "features in disorder": ("process_columns", lambda a: a[::-1].copy(), "Gaussian process"),
    "a scale of 0": ("spread_process_scale", lambda a: a * 0, "Gaussian process"),
    "far away": ("process_centre", lambda a: a * 0 + 1e9, "Gaussian process"),
    "falling knots": ("calibration_values", lambda a: a[::-1].copy(), "knots"),
    "no knots": ("calibration_scores", lambda a: a[:0], "at least one knot"),
    "unsorted residuals": ("avm_residuals_normalised", lambda a: a[::-1].copy(), "residuals"),
    "networks without predictions": ("known_scores", lambda a: a[1:], "known networks"),
    "networks of other genes": ("known_genomes", lambda a: a[:, 1:].copy(), "genes of the training rows"),
}


@pytest.mark.parametrize("what", EDITS)
def test_arrays_that_do_not_form_a_surrogate_are_refused(what: str, file: Path) -> None:
    name, change, message = EDITS[what]
    edit_array(file, name, change)
    with pytest.raises(BrokenFileError, match=message) as error:
        read_model(file)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "change",
    [
        {"spreads": [0.0, 1.0]},
        {"shares": [0.5, 1.5]},
        {"means": [0.0]},
        {"means": [0.0, float("nan")]},
        {"lowest": [9.0, 9.0]},
        {"highest": [10**400, 1]},
        {"shares": None},
    ],
    ids=str,
)
def test_invalid_mixtures_are_refused(change: Header, file: Path) -> None:
    edit(file, lambda header: header["mixture"].update(change))
    with pytest.raises(BrokenFileError, match=r"mixture|spreads|lowest"):
        read_model(file)


@pytest.mark.parametrize(
    "change",
    [{"sources": "digits"}, {"sources": [1]}, {"bases": [0.0]}, {"classes": 0}],
    ids=str,
)
def test_invalid_source_models_are_refused(change: Header, tmp_path: Path) -> None:
    file = learned(learning_set(20, seed=8), source=fit_source([learning_set(60)])).save(tmp_path / "s")
    edit(file, lambda header: header["source"].update(change))
    with pytest.raises(BrokenFileError, match=file.name):
        read_model(file)


def test_a_source_model_with_one_share_for_all_targets_is_refused_by_its_age(tmp_path: Path) -> None:
    file = learned(learning_set(20, seed=8), source=fit_source([learning_set(60)])).save(tmp_path / "s")
    edit(file, lambda header: header["source"].update(share=0.5))
    with pytest.raises(BrokenFileError, match="its source model is from an older version of ohmnas: create a new one"):
        read_model(file)


def test_lines_and_source_models_belong_together(surrogate: SurrogateModel) -> None:
    with pytest.raises(InvalidValueError, match="must be given together"):
        replace(surrogate, source=fit_source([learning_set(60)]))


def test_values_that_no_header_may_have_are_not_written(surrogate: SurrogateModel, tmp_path: Path) -> None:
    odd: dict[str, Any] = {**surrogate.provenance, "by": float("nan")}
    with pytest.raises(InvalidValueError, match="provenance: by"):
        replace(surrogate, provenance=odd).save(tmp_path / "s")
