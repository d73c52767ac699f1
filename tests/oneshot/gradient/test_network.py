from __future__ import annotations

import numpy as np

from ohmnas.oneshot.gradient.network import fixed_gates


def test_fixed_gates_compute_one_option_with_weight_1() -> None:
    gates = fixed_gates(np.array([2, 0]), 3)
    assert [gate.active for gate in gates] == [(2,), (0,)]
    assert [gate.weights.tolist() for gate in gates] == [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
