"""Split the variance of the accuracy over chips by cause.

Notation: there are n chips and m images. X and Y, ``(n, m)``, are two readings of the same chips at the same time. An
element is 1 if the chip classified the image correctly, else 0.

The accuracy of a chip is the mean of its row of X. Each pair of images has a covariance over chips, between their two
columns of X. The variance of the accuracy over chips is the mean of the m^2 covariances. It has two parts:

- Pairs of an image with itself: single images flip, near the border between two classes. This part of the variance
  (`flips`) falls with 1/m.
- Pairs of different images: errors of a chip affect all images alike. The mean over these pairs is an unbiased estimate
  of the variance of the accuracy on infinitely many images. This part of the variance is 1 - 1/m times the mean.

The second part is split again. A column of X and a column of Y share the chips (their programming errors and drift),
but not the read noise of the weights. Their covariance therefore measures the differences between chips (`chip`). The
rest is read noise (`read`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Spread:
    """Parts of the variance of the accuracy (a fraction from 0 to 1) over chips. They add up to `variance`."""

    flips: float
    """Independent flips of single images, which more images would average out; 0 or more."""
    read: float
    """Read noise of the weights, which all images of a reading share. This unbiased estimate can be negative."""
    chip: float
    """Permanent differences between chips. This unbiased estimate can be negative."""

    @classmethod
    def of(cls, first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> Spread:
        """Estimate the parts from two readings of the same chips.

        Args:
            first: ``(n, m)``, True where the chip classified the image correctly; n and m must be at least 2.
            second: ``(n, m)``: a second reading of the same chips at the same time.
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
        """Variance of the accuracy over chips, averaged over the two readings: the sum of the parts."""
        return self.flips + self.read + self.chip
