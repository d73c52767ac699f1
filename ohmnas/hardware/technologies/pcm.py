"""Phase-change memory: aihwkit's model, fitted to measured devices (Nandakumar et al., ICECS 2019).

A weight is the difference between two devices. Let g be the conductance relative to the largest, and t the time after
programming plus 20 s. The model has

- programming noise of standard deviation (0.26348 + 1.9650 g - 1.1731 g^2) uS at 25 uS;
- drift by a factor of (t / 20 s)^-nu with normally distributed exponents nu;

    mean:                -0.0155 ln g + 0.0244, clipped to [0.049, 0.1]
    standard deviation:  -0.0125 ln g - 0.0059, clipped to [0.008, 0.045]

- 1/f read noise of standard deviation min(0.0088 / g^0.65, 0.2) times the square root of ln((t + 250 ns) / 500 ns),
  relative to the drifted conductance.
"""

from __future__ import annotations

from typing import Final

from ohmnas.hardware.technology import Technology

TECHNOLOGY: Final = Technology(
    "pcm",
    "aihwkit.inference.noise.pcm:PCMLikeNoiseModel",
    spread_1d=0.053,
    spread_1mo=0.061,
)
