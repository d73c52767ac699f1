"""Filamentary conductive-metal-oxide/HfOx ReRAM: aihwkit's model (Falcone et al., IBM Research Zurich).

A weight is one device, whose conductance lies between a smallest and a largest value. Let g be the conductance in uS,
and t the time after programming in seconds. The model has

- programming noise of standard deviation (0.00081 + 0.00107 g) uS (acceptance range of 0.2 %);
- relaxation that does not depend on g, with a mean of -0.0890 ln t uS and a standard deviation of
  (0.4118 + 0.0420 ln t) uS. It is drawn anew for each read, so two reads of one chip have only the programming in
  common;
- 1/f read noise of standard deviation 0.0277 log10 g times the square root of ln((t + 1 us) / 2 us), in uS.
"""

from __future__ import annotations

from typing import Final

from ohmnas.hardware.technology import Technology

TECHNOLOGY: Final = Technology(
    "reram",
    "ohmnas.analog.device:ReRamCMONoiseModel",
    spread_1d=0.023,
    spread_1mo=0.027,
    offset_1d=-0.025,
    settings={"g_max": 88.2},
    smallest_conductance=9.0,  # uS; g_min of aihwkit's model
)
