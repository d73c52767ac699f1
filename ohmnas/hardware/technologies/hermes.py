"""Phase-change memory of IBM's 64-core HERMES chip: aihwkit's model (Le Gallo et al., Nature Electronics 2023).

A weight has two devices for each sign, in crossbars of 256 x 256 cells. Let g be the conductance relative to the
largest, and t the time after programming plus 300 s. The model has

- programming noise of standard deviation (0.16603 + 4.71806 g - 8.48101 g^2 + 4.68961 g^3) uS at 20.7 uS;
- drift by a factor of (t / 300 s)^-nu with normally distributed exponents nu;

    mean, g < 0.0945:                 -0.0387 ln g - 0.0182, clipped to [0.072, 0.13]
    mean, g >= 0.0945:                0.0736 - 0.0126 g - 0.0436 g^2
    standard deviation, g < 0.3055:   -0.0117 ln g - 0.0057, clipped to [0.0091, 0.04]
    standard deviation, g >= 0.3055:  0.0073 + 0.0093 g - 0.0118 g^2

- 1/f read noise of standard deviation q times the square root of ln((t + 512 ns) / 1024 ns), relative to the drifted
  conductance.

    q, g < 0.16:                      -0.0117 ln g - 0.0069, clipped to [0.015, 0.04]
    q, g >= 0.16:                     0.0123 + 0.0211 g - 0.0280 g^2 + 0.0069 g^3
"""

from __future__ import annotations

from typing import Final

from ohmnas.hardware.technology import Technology

TECHNOLOGY: Final = Technology(
    "hermes",
    "aihwkit.inference.noise.hermes:HermesNoiseModel",
    spread_1d=0.068,
    spread_1mo=0.091,
    settings={"g_max": 20.7, "tile_rows": 256, "tile_columns": 256},
    largest_conductance=20.7,
)
