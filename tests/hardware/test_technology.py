from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ohmnas.errors import InvalidValueError, MissingDependencyError
from ohmnas.hardware import TECHNOLOGIES, Hardware, Technology, hardware, has_name, kind_of
from ohmnas.hardware.chip_genes import from_hardware

TOY = Technology("toy", "fractions:Fraction", 0.1, 0.2, settings={"g_max": 30.0}, largest_conductance=40.0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": "a/b"}, "a technology cannot be called"),
        ({"noise_model": "no path"}, "must be 'module:class', not 'no path'"),
        ({"noise_model": "module.class"}, "must be 'module:class', not 'module.class'"),
        ({"noise_model": "module:Outer.Inner"}, "must be 'module:class', not 'module:Outer.Inner'"),
        ({"noise_model": "a:b:c"}, "must be 'module:class', not 'a:b:c'"),
        ({"spread_1d": float("nan")}, "spread_1d of toy must be from 0 to 1, not nan"),
        ({"spread_1mo": -0.1}, "spread_1mo of toy must be from 0 to 1"),
        ({"offset_1d": 2.0}, "offset_1d of toy must be from -1 to 1"),
        (
            {"smallest_conductance": 40.0},
            "smallest_conductance of toy must be at least 0 and below its largest_conductance of 40.0, not",
        ),
    ],
)
def test_numbers_out_of_range_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        replace(TOY, **wrong)


def test_its_noise_model_is_loaded_when_it_is_needed() -> None:
    assert TOY.load().__name__ == "Fraction"
    with pytest.raises(InvalidValueError, match="needs the noise model Nothing, which is not in fractions"):
        replace(TOY, noise_model="fractions:Nothing").load()
    with pytest.raises(MissingDependencyError, match=r"the technology toy needs its noise model .*nowhere"):
        replace(TOY, noise_model="nowhere:Nothing").load()


def test_a_registered_technology_has_a_preset_and_varied_chips() -> None:
    assert not has_name("toy")
    with TECHNOLOGIES.registered("toy", TOY):
        chip = hardware("toy")
        assert chip == Hardware(name="toy", technology="toy", g_max=30.0)
        assert chip.description()["device_spread_1mo"] == 0.2
        assert hardware("toy-t64-d6-a7").dac_bits == 6
        assert kind_of("toy-t64-d6-a7") == "varied-toy"
        assert not from_hardware([chip])[1].any()
        with pytest.raises(InvalidValueError, match="g_max of toy must be at most 40"):
            replace(chip, g_max=41.0)
    assert kind_of("toy-t64-d6-a7") == "toy-t64-d6-a7"


def test_objects_that_are_not_technologies_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="the name of the technology is 'toy'"):
        TECHNOLOGIES.register("other", TOY)
    with pytest.raises(InvalidValueError, match="it is of type float, not an"):
        TECHNOLOGIES.register("other", 1.0)


def test_a_technology_whose_settings_no_chip_has_is_refused() -> None:
    strange = replace(TOY, settings={"g_max": 20.0, "colour": "red", "name": "x"})
    with (
        TECHNOLOGIES.registered("toy", strange),
        pytest.raises(InvalidValueError, match="toy sets colour, name, which"),
    ):
        hardware("toy")
