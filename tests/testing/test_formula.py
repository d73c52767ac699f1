from __future__ import annotations

import numpy as np

from ohmnas.testing.formula import EIGHT, NARROW, SPACE, Formula


def test_the_formula_gives_fractions_and_remembers_its_questions() -> None:
    formula, population = Formula(), SPACE.sample(50, np.random.default_rng(0), 50_000)
    predicted = formula.estimate(population)
    assert ((predicted["accuracy_1d"] > 0) & (predicted["accuracy_1d"] < 1) & (predicted["accuracy_1d_std"] > 0)).all()
    assert np.array_equal(formula.asked[0], population)
    assert (EIGHT.size, 50_000 < NARROW.size < 200_000) == (8, True)
