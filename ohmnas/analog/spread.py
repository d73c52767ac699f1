"""Split the spread of accuracy over chips by cause.

Notation: n chips, m images; X and Y, ``(n, m)``, are two readings of the same chips at the same time. An element is 1
where a chip classified an image correctly, else 0.

The accuracy is the mean of X over images. Its variance over chips is a sum over pairs of images of the covariance of X
over chips. Pairs of an image with itself are flips of single images, near the border between two classes; their part of
the variance falls with 1/m. Pairs of different images show errors of a chip that affect all images alike. Their mean is
an unbiased estimate of the variance of the accuracy on infinitely many images. Pairs between X and Y have the same chip
(its programming errors and drift), but different read noise of the weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Spread:
    """Parts of the variance over chips of the accuracy, in squared fractions; their sum is the variance itself."""

    flips: float
    """Independent flips of single images, which more images would average out; 0 or more."""
    read: float
    """Read noise of the weights, which all images of a reading share: an unbiased estimate, which can be negative."""
    chip: float
    """Permanent differences between chips: an unbiased estimate, which can be negative."""

    @classmethod
    def of(cls, first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> Spread:
        """Split the spread of two readings.

        Args:
            first: ``(n, m)``: images that each chip classified correctly; n and m at least 2.
            second: ``(n, m)``: the same for another reading of the same chips at the same time.
        """
        chips, images = first.shape
        x, y = (reading - reading.mean(axis=0) for reading in (first.astype(float), second.astype(float)))
        within = [one.sum(axis=1) @ one.sum(axis=1) / (chips - 1) for one in (x, y)]
        single = [np.square(one).sum() / (chips - 1) for one in (x, y)]
        between = x.sum(axis=1) @ y.sum(axis=1) / (chips - 1) - (x * y).sum() / (chips - 1)
        pairs = images * (images - 1)
        common = (np.mean(within) - np.mean(single)) / pairs
        kept = between / pairs
        share = 1.0 - 1.0 / images
        return cls(float(np.mean(single)) / images**2, share * float(common - kept), share * float(kept))

    @property
    def variance(self) -> float:
        """Variance over chips of the accuracy, mean of the two readings."""
        return self.flips + self.read + self.chip
