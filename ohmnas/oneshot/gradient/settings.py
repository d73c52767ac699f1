"""`Settings` of a gradient search. Does not import torch, so a command can check the settings early."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ohmnas.errors import InvalidValueError
from ohmnas.lookup import check_name
from ohmnas.search.quantity_names import COSTS

METHODS: Final = {
    "darts": "mixes all operations (Liu et al., 2019, first order)",
    "darts2": "like darts, but with the weights after one more step (second order)",
    "gdas": "samples one operation with Gumbel noise (Dong and Yang, 2019)",
    "proxyless": "compares two sampled operations (Cai et al., 2019)",
}
"""Method -> meaning."""
REMEDIES: Final = {
    "none": "no remedy",
    "auxiliary": "gives every edge an additional skip that fades out (DARTS-, Chu et al., 2021)",
    "early-stop": "stops when two edges of a cell become skips, and keeps the network of the previous epoch "
    "(DARTS+, Liang et al., 2019)",
    "perturb": "trains the weights with randomly perturbed probabilities (SmoothDARTS, Chen and Hsieh, 2020)",
}
"""Remedy against the collapse to skip connections -> meaning."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a gradient search, except for its problem and its seed."""

    method: str = "gdas"
    """One of `METHODS`."""
    remedy: str = "none"
    """One of `REMEDIES`."""
    epochs: int = 20
    """Passes over the training images."""
    settle: int = 4
    """Epochs of further training of the found network's weights before its accuracy is measured."""
    images: int = 20_000
    """Largest number of training images. One half trains the weights, the other half the probabilities."""
    resolution: int | None = None
    """Longest side of an image in pixels; larger images are downsampled by averaging. None keeps the original size."""
    batch: int = 64
    """Images per step."""
    channels: int = 8
    """Channels of the search network's stem. In the cells space, the resulting network has 16; in the resnet space, it
    has 1, 1.5, 2 or 3 times this number."""
    cells: int = 1
    """Cells of each stage of the search network; in the resnet space, residual blocks of each main block."""
    blocks: int = 2
    """Main blocks in the resnet space."""
    learning_rate: float = 0.1
    """Peak learning rate of the weights."""
    reach: float = 6.0
    """Approximate largest distance that a logit moves in the whole search: Adam moves it by about its rate in a step,
    and the rate is this number divided by the number of steps. DARTS's own settings reach 5.9 (50 epochs of 391 steps
    at 3e-4)."""
    decay: float = 1e-3
    """Weight decay of the logits, as in DARTS."""
    warmup: float = 0.0
    """Share of the search, at the start, in which only the weights are trained."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """Cost -> weight of its expectation in the loss, relative to its mean over all architectures of the space."""
    hinge: float = 1.0
    """Weight, in the loss, of the relative excess of each expected cost over its limit."""

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            InvalidValueError: a number is out of range.
            UnknownNameError: the method, the remedy or a cost is unknown.
        """
        check_name("method", METHODS, self.method)
        check_name("remedy", REMEDIES, self.remedy)
        for name in ("epochs", "batch", "channels", "cells", "blocks", "images"):
            if getattr(self, name) < 1:
                raise InvalidValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.settle < 0:
            raise InvalidValueError(f"settle must be at least 0, not {self.settle}")
        if self.images < 4 * self.batch:
            raise InvalidValueError(
                f"images is {self.images}, but each half needs at least two batches of {self.batch}: "
                f"use at least {4 * self.batch}"
            )
        for name in ("learning_rate", "reach"):
            if not 0 < getattr(self, name) < math.inf:
                raise InvalidValueError(f"{name} must be a number above 0, not {getattr(self, name)}")
        for name in ("hinge", "decay"):
            if not 0 <= getattr(self, name) < math.inf:
                raise InvalidValueError(f"{name} must be a number, 0 or more, not {getattr(self, name)}")
        if not 0 <= self.warmup < 1:
            raise InvalidValueError(f"warmup must be at least 0 and below 1, not {self.warmup}")
        for name, weight in self.weights.items():
            check_name("cost", COSTS, name)
            if not 0 < weight < math.inf:
                raise InvalidValueError(f"the weight of {name} must be a number above 0, not {weight}")
