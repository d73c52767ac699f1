"""Energy of a conversion against figures that its sources give."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from ohmnas.costs.conversion import LAWS, Conversion
from ohmnas.errors import OhmnasError


@pytest.mark.parametrize(
    ("law", "ratios"),
    [("survey", (1.23, 1.31, 1.37)), ("zigzag", (1.19, 1.21, 1.34)), ("doubling", (2.0, 2.0, 2.0))],
)
def test_an_added_bit_costs_as_much_as_in_the_source_of_each_law(law: str, ratios: tuple[float, ...]) -> None:
    energy = Conversion(law, adc_share=1.0).relative_energy(np.array([6.0, 7.0, 8.0, 9.0]))
    assert_allclose(energy[1:] / energy[:-1], ratios, atol=0.006)
    assert energy[2] == 1.0


@pytest.mark.parametrize("law", LAWS)
def test_only_the_share_of_the_adcs_grows_and_ideal_converters_count_as_eight_bits(law: str) -> None:
    bits = np.array([0.0, 5.0, 8.0, 9.0])
    whole, half = (Conversion(law, share).relative_energy(bits) for share in (1.0, 0.5))
    assert_allclose(half, 0.5 + 0.5 * whole)
    assert half[0] == half[2] == 1.0
    assert (Conversion(law, 0.0).relative_energy(bits) == 1.0).all()
    assert (np.diff(whole[1:]) > 0.0).all()


@pytest.mark.parametrize("values", [{"law": "linear"}, {"adc_share": 1.1}, {"adc_share": float("nan")}, {"phases": 2}])
def test_other_assumptions_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(OhmnasError):
        Conversion(**values)  # type: ignore[arg-type]
