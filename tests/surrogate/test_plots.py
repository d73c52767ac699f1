"""Pictures are drawn whole, of what there is."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from ohmnas.errors import InvalidValueError, StorageError
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.surrogate.features import feature_names
from ohmnas.surrogate.plots import feature_words, plot_effects, plot_importance, plot_map
from ohmnas.targets import DEFAULT_NAMES

PNG = b"\x89PNG\r\n\x1a\n"


def effects(choices: int) -> pd.DataFrame:
    numbers = {f"{target}_{name}": 0.1 for target in DEFAULT_NAMES for name in ("change", "low", "high")}
    words = [{"choice": f"c{c}", "label": f"l{v}", "against": "l0"} for c in range(choices) for v in range(3)]
    return pd.DataFrame([{**row, **numbers} for row in words])


def test_each_picture_is_a_png(tmp_path: Path) -> None:
    importance = pd.DataFrame(
        [{"feature": f"f{i}", "group": "genes", **dict.fromkeys(DEFAULT_NAMES, 0.1 * i)} for i in range(30)]
        + [{"feature": "all", "group": "group", **dict.fromkeys(DEFAULT_NAMES, 0.5)}]
    )
    importance = importance.assign(**{f"{target}_error": 0.01 for target in DEFAULT_NAMES})
    places = pd.DataFrame(
        {"noise_1d": [0.1, 1.0], "params": [1000, 2000], **{key: [0.1, 0.9] for key in DEFAULT_NAMES}}
    )
    plot_importance(importance, tmp_path / "importance.png")
    plot_effects(effects(1), tmp_path / "one.png")
    plot_effects(effects(4), tmp_path / "four.png")
    plot_map(places, tmp_path / "map.png")
    for path in tmp_path.iterdir():
        assert path.read_bytes().startswith(PNG), path
    assert len(list(tmp_path.iterdir())) == 4


def test_svg_is_drawn_too_and_other_endings_are_refused(tmp_path: Path) -> None:
    plot_effects(effects(2), tmp_path / "two.svg", "a title")
    assert b"</svg>" in (tmp_path / "two.svg").read_bytes()
    with pytest.raises(InvalidValueError, match="must end with"):
        plot_effects(effects(2), tmp_path / "two.gif")


def test_features_are_named_in_words() -> None:
    space = ResNetSpace((1, 8, 8), 10)
    names = [*feature_names(space, ()), "all of noise", "all of genes", "all of structure"]
    words = [feature_words(name) for name in names]
    assert not any("_" in word or "log2" in word for word in words)
    assert len(set(words)) >= len(words) - 1  # B and mean_branches differ by block only
    assert feature_words("log2_noise_1d") == "all noise after a day"
    assert feature_words("WF3") == "widening of block 3"


def test_a_folder_that_is_not_there_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        plot_effects(effects(1), tmp_path / "nowhere" / "a.png")
