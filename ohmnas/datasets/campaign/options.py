"""Option names of a campaign. Imports almost nothing, so ``--help`` is fast."""

from __future__ import annotations

from typing import Final

ENGINE_NAMES: Final = ("native", "aihwkit")
"""Chip simulators: our own layers, or aihwkit as the reference."""
DEVICES: Final = ("cpu", "cuda")
"""Torch devices for training and reading."""
BACKENDS: Final = ("local", "dask")
"""Backends for workers: local processes, or a Dask cluster."""
PLANS: Final = ("mixed", "spread")
"""`spread`: evenly over log parameters. `mixed`: alternately from `spread` and from mutants of the references."""
STOPPINGS: Final = ("asha",)
"""Ways to stop trainings early."""
CHOOSERS: Final = ("plan", "active", "best")
"""Sources of a campaign's architectures: a plan, a surrogate of the rows, or the best networks of another seed."""
ORDERS: Final = ("plan", "cheap")
"""`plan`: measure in the order of the plan. `cheap`: measure networks with few activations first."""
