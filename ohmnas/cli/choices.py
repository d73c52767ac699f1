"""What flags let choose between, written out: `ohmnas search --help` need not load the library for it.

Each is what the library has; the tests hold them equal.
"""

from __future__ import annotations

from typing import Final

TASKS: Final = (
    "digits",
    "spoken-digits",
    "spoken-digits-new-speakers",
    "people",
    "cifar10",
    "speech-commands",
    "visual-wake-words",
)
DOWNLOADS: Final = ("cifar10", "people", "speech-commands")
"""Tasks whose files `ohmnas data` fetches."""
FIDELITIES: Final = ("smoke", "table", "full")
CHIPS: Final = ("pcm", "hermes", "reram", "ideal")
"""Presets."""
ENGINES: Final = ("native", "aihwkit")
DEVICES: Final = ("cpu", "cuda")
BACKENDS: Final = ("local", "dask")
CHOOSERS: Final = ("plan", "active", "best")
"""Where the architectures of a campaign come from."""
PLANS: Final = ("mixed", "spread")
OBJECTIVES: Final = ("ratio", "accuracy", "weighted", "tchebycheff", "exponential")
QUANTITIES: Final = (
    "accuracy_1d",
    "accuracy_1d_std",
    "avm",
    "params",
    "macs",
    "size",
    "memory",
    "tiles",
    "cells",
    "energy",
    "latency",
)
STRATEGIES: Final = (
    "evolution",
    "random",
    "grid",
    "rank",
    "aging",
    "local",
    "nsga2",
    "bayesian",
    "q-learning",
    "reinforce",
)
MARGINS: Final = (0.05, 0.1, 0.15, 0.2)
"""Of the pairwise hinge loss."""
RESAMPLES: Final = 8
"""Tables behind the intervals of a study, where nobody says how many."""
