"""Values of a campaign's options. Imports almost nothing, so ``--help`` is fast."""

from __future__ import annotations

from typing import Final

ENGINE_NAMES: Final = ("native", "aihwkit")
"""Chip simulators: the layers of ohmnas, or aihwkit as the reference."""
DEVICES: Final = ("cpu", "cuda")
"""Torch devices for training and reading."""
BACKENDS: Final = ("local", "dask")
"""Backends for workers: local processes, or a Dask cluster."""
PLANS: Final = ("mixed", "spread")
"""`spread`: architectures spread evenly over the logarithm of the parameters. `mixed`: these alternate with mutants of
references."""
STOPPINGS: Final = ("asha",)
"""Ways to stop training runs early."""
CHOOSERS: Final = ("plan", "active", "best")
"""Sources of a campaign's architectures: a plan, a surrogate fitted to the rows, or the best networks measured with
other seeds."""
ORDERS: Final = ("plan", "cheap")
"""`plan`: measure in the order of the plan. `cheap`: measure networks with few activations first."""
