from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ohmnas.errors import InvalidValueError, PluginError, UnknownNameError
from ohmnas.registry import REGISTRIES, Registry, registries

Install = Callable[..., None]


@pytest.fixture
def pets() -> Registry[object]:
    return Registry(
        "pet",
        "zoo.pets",
        {"cat": "math:pi", "dog": ("math:e", "it barks"), "cow": lambda: 4},
        lambda _name, thing: "" if isinstance(thing, float | int) else "it is no number",
    )


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a package of one module and one entry point or more."""

    def package(name: str, code: str, **points: str) -> None:
        folder = tmp_path / name
        folder.mkdir()
        (folder / f"{name}.py").write_text(code)
        info = folder / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = "".join(f"{point} = {target}\n" for point, target in points.items())
        (info / "entry_points.txt").write_text(f"[zoo.pets]\n{lines}")
        monkeypatch.syspath_prepend(str(folder))

    return package


def test_an_entry_is_found_by_its_name(pets: Registry[object]) -> None:
    assert [*pets] == [*pets.own] == ["cat", "dog", "cow"]
    assert pets["dog"] == pytest.approx(2.718, abs=1e-3)
    assert (pets.summary("dog"), pets.summary("cat"), pets["cow"]) == ("it barks", "", 4)
    assert "dog" in pets
    assert "fox" not in pets
    with pytest.raises(UnknownNameError, match=r"^unknown pet 'dgo': choose cat, dog, cow; did you mean dog\?$"):
        pets["dgo"]


def test_entry_points_are_read_only_when_a_name_is_not_ours(
    pets: Registry[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise AssertionError("entry points were read")

    monkeypatch.setattr("importlib.metadata.entry_points", refuse)
    assert "cat" in pets
    assert pets["cat"]
    assert pets.own
    with pytest.raises(AssertionError):
        assert "fox" in pets


def test_a_package_adds_entries(pets: Registry[object], install: Install) -> None:
    install("zoo_fox", "SIZE = 7", fox="zoo_fox:SIZE")
    assert [*pets] == ["cat", "dog", "cow", "fox"]
    assert (pets["fox"], pets.package("fox"), pets.package("cat")) == (7, "zoo_fox", "")
    install("zoo_owl", "SIZE = 8", owl="zoo_owl:SIZE")
    assert "owl" not in pets
    pets.refresh()
    assert pets["owl"] == 8


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (
            "import nowhere_to_be_found",
            "importing it failed with ModuleNotFoundError: No module named 'nowhere_to_be_f",
        ),
        ("1 / 0", "importing it failed with ZeroDivisionError: division by zero"),
        ("OTHER = 1", "importing it failed with AttributeError"),
        ("SIZE = 'word'", "it is no number"),
        ("raise ValueError('a' * 9999 + chr(10) + 'b')", "importing it failed with ValueError: aaa"),
    ],
)
def test_a_broken_package_is_one_sentence_that_names_it(
    pets: Registry[object], install: Install, code: str, why: str
) -> None:
    install("zoo_broken", code, fox="zoo_broken:SIZE")
    assert "fox" in pets
    assert pets["cat"]
    with pytest.raises(PluginError, match=rf"^the pet 'fox' of the package zoo_broken cannot be used: {why}") as raised:
        pets["fox"]
    assert len(str(raised.value)) < 300
    assert str(raised.value).isprintable()
    sys.modules.pop("zoo_broken", None)


def test_a_name_that_is_taken_is_left_out_and_named(pets: Registry[object], install: Install) -> None:
    install("zoo_cats", "SIZE = 9", cat="zoo_cats:SIZE")
    install("zoo_one", "SIZE = 1", fox="zoo_one:SIZE")
    install("zoo_two", "SIZE = 2", fox="zoo_two:SIZE")
    install("zoo_bad", "SIZE = 2", **{"a/b": "zoo_bad:SIZE"})
    assert pets["cat"] == pytest.approx(3.14159, abs=1e-4)
    assert pets["fox"] == 2  # first on the path
    cats = "the pet 'cat' of the package zoo_cats, because ohmnas has a built-in pet with this name"
    one = "the pet 'fox' of the package zoo_one, because the package zoo_two adds one with this name"
    assert {
        cats,
        one,
        "the pet 'a/b' of the package zoo_bad, because a name must not contain slashes or backslashes, or begin with a "
        "dot",
    } == {*pets.faults}
    with pytest.raises(UnknownNameError, match=r"unknown pet 'cats': choose cat, .*; left out: .*zoo_cats"):
        pets["cats"]


def test_code_adds_entries(pets: Registry[object]) -> None:
    pets.register("fox", 3)
    assert (pets["fox"], [*pets][-1]) == (3, "fox")
    assert pets.register("owl", "math:tau") == "math:tau"
    assert pets["owl"] == pytest.approx(6.28, abs=0.01)
    with pets.registered("bee", 1):
        assert "bee" in pets
    assert "bee" not in pets
    for name in ("fox", "cat"):
        with pytest.raises(InvalidValueError, match=rf"^the pet '{name}' already exists"):
            pets.register(name, 1)
    with pytest.raises(InvalidValueError, match=r"^a pet cannot be called 'a/b'"):
        pets.register("a/b", 1)
    with pytest.raises(InvalidValueError, match=r"cannot be the pet 'ant': it is no number"):
        pets.register("ant", ["no number"])
    pets.register("elf", "math:sin")
    with pytest.raises(InvalidValueError, match=r"cannot be the pet 'elf': it is no number"):
        pets["elf"]
    pets.unregister("elf")
    pets.unregister("fox")
    pets.unregister("cat")
    assert ("fox" in pets, "cat" in pets) == (False, True)


def test_a_decorator_adds_what_it_decorates() -> None:
    makers: Registry[Callable[[], int]] = Registry("maker", "zoo.makers", {})

    @makers.register("three")
    def three() -> int:
        return 3

    assert makers["three"] is three


def test_code_goes_before_a_package(pets: Registry[object], install: Install) -> None:
    install("zoo_elk", "SIZE = 7", elk="zoo_elk:SIZE")
    assert pets["elk"] == 7
    with pets.registered("elk", 8):
        assert (pets["elk"], [*pets].count("elk")) == (8, 1)
    assert pets["elk"] == 7


def test_every_registry_has_its_group_and_all_of_ours_can_be_used() -> None:
    found = registries()
    assert len(found) == len(REGISTRIES)
    for group, registry in found.items():
        assert group.startswith("ohmnas.")
        for name in registry.own:
            assert registry[name] is not None
            assert not registry._fault(name, registry[name])


def test_help_reads_no_entry_points() -> None:
    script = (
        "import sys; from ohmnas.cli.main import main\n"
        "try: main(['search', '--help'])\n"
        "except SystemExit: sys.exit('importlib.metadata' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
