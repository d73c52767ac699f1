"""Assumptions behind the estimates of energy and latency: energy per ADC conversion, and number of read phases.

The totals of the reference chip are known only at 8 bits. For other resolutions, one of three laws scales the energy of
the ADCs. The laws disagree, so check conclusions about bits with all three.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ohmnas.errors import InvalidValueError
from ohmnas.lookup import check_name

if TYPE_CHECKING:  # the command line imports this file; without NumPy, it starts fast
    import numpy as np
    import numpy.typing as npt

    Amounts = npt.NDArray[np.float64]

REFERENCE_BITS: Final = 8
"""Bits of the inputs and outputs at which the totals of the reference chip are known."""
PHASES: Final = {1: (63.1e12, 9.76e12), 4: (16.1e12, 2.48e12)}
"""Number of read phases -> peak operations per second of all cores, and operations per joule. A multiply-accumulate
counts as two operations. One phase is the low-precision mode of the reference chip; four phases are its high-precision
mode (Le Gallo et al., Nature Electronics 2023)."""


_LEAST_BITS: Final = 4.4
"""Lower end of the survey's fit, in bits. Fewer bits cost as much as this number: the fit itself would make them more
expensive."""


def _survey(bits: Any) -> Any:
    """Energy of the best published converters.

    Each additional bit needs a signal-to-noise ratio that is 6.02 dB higher. The figure of merit (Schreier) of the best
    converters improves by 3.22 dB per bit, and a power of the number of bits corrects the rest. The numbers come from
    hwcomponents-adc (Accelergy project, 2026 model), which fits Murmann's ADC Performance Survey. They hold at rates
    far below the fit's corner frequency, as in a crossbar's column.
    """
    above = (bits > _LEAST_BITS) * (bits - _LEAST_BITS) + _LEAST_BITS
    return 10.0 ** ((6.0206 - 3.2205) / 10.0 * above) * above**-2.8291


def _zigzag(bits: Any) -> Any:
    """(100 fF x bits + 1 aF x 4^bits) x squared supply voltage: ZigZag's AIMC model (KU Leuven)."""
    return 100.0 * bits + 1e-3 * 4.0**bits


def _doubling(bits: Any) -> Any:
    """Energy proportional to 2^bits (Walden, IEEE Journal on Selected Areas in Communications, 1999)."""
    return 2.0**bits


LAWS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "survey": _survey,
    "zigzag": _zigzag,
    "doubling": _doubling,
}
"""Name -> relative energy of one conversion, for ``(n,)`` bits above 0."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """How the energy of an ADC conversion depends on its bits, and the number of read phases."""

    law: str = "survey"
    """One of `LAWS`."""
    adc_share: float = 0.58
    """The ADCs' share of the chip's energy at 8 bits, from 0 to 1. The rest does not depend on bits. The default is the
    ADCs' share of the power of an ISAAC tile (Shafiee et al., ISCA 2016). For other chips, it is an assumption."""
    phases: int = 1
    """Read phases, a key of `PHASES`."""

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            InvalidValueError: `adc_share` is below 0 or above 1, or `phases` is not a key of `PHASES`.
            UnknownNameError: the law is unknown.
        """
        check_name("ADC energy law", LAWS, self.law)
        if not 0.0 <= self.adc_share <= 1.0:
            raise InvalidValueError(f"the ADCs' share of the energy must be from 0 to 1, not {self.adc_share}")
        if self.phases not in PHASES:
            raise InvalidValueError(
                f"the number of read phases must be {' or '.join(map(str, PHASES))}, not {self.phases}"
            )

    def relative_energy(self, bits: float | Amounts) -> Amounts:
        """Energy of one conversion, including its share of all other energy; 1 at `REFERENCE_BITS`.

        Args:
            bits: bits of the ADC, one number or ``(n,)``. An ideal ADC (0) counts as `REFERENCE_BITS`.
        """
        law = LAWS[self.law]
        real = bits + (bits == 0) * float(REFERENCE_BITS)
        growth: Amounts = law(real) / law(float(REFERENCE_BITS))
        return 1.0 - self.adc_share + self.adc_share * growth

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {"law": self.law, "adc_share": self.adc_share, "phases": self.phases}
