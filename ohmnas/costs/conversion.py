"""Assumptions behind energy and latency: energy of an ADC conversion by its bits, and number of read phases.

The totals of the chip are known at 8 bits only. Another resolution changes the energy of the ADCs by one of three laws,
which disagree. Check conclusions about bits with all three laws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ohmnas.errors import InvalidValueError
from ohmnas.lookup import check_name

if TYPE_CHECKING:  # the command line needs the names below and must start fast
    import numpy as np
    import numpy.typing as npt

    Amounts = npt.NDArray[np.float64]

REFERENCE_BITS: Final = 8
"""Resolution of inputs and outputs at which the totals of the chip are known."""
PHASES: Final = {1: (63.1e12, 9.76e12), 4: (16.1e12, 2.48e12)}
"""Read phases -> peak operations per second of all cores, operations per joule; a multiply-accumulate counts twice
(Le Gallo et al., Nature Electronics 2023). One phase is the low-precision mode, four phases the high-precision mode."""


_LEAST_BITS: Final = 4.4
"""Smallest number of bits for the survey's fit. Below it, the fit's energy would fall with each additional bit."""


def _survey(bits: Any) -> Any:
    """Best published converters: each bit needs 6.02 dB, of which a better figure of merit (Schreier) covers 3.22 dB.

    Fit of hwcomponents-adc (Accelergy project, model of 2026) to Murmann's ADC Performance Survey, at rates far below
    its corner frequency, as in a crossbar's column.
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
    """Assumptions about conversions."""

    law: str = "survey"
    """One of `LAWS`."""
    adc_share: float = 0.58
    """Share of the ADCs in the chip's energy at 8 bits, from 0 to 1; the rest does not depend on bits. The default is
    the ADCs' share of the power of ISAAC's tiles (Shafiee et al., ISCA 2016). It is an assumption for other chips."""
    phases: int = 1
    """Read phases, a key of `PHASES`."""

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            InvalidValueError: the share is not from 0 to 1, or `phases` is not a key of `PHASES`.
            UnknownNameError: the law is unknown.
        """
        check_name("ADC energy law", LAWS, self.law)
        if not 0.0 <= self.adc_share <= 1.0:
            raise InvalidValueError(f"the share of the ADCs in the energy must be from 0 to 1, not {self.adc_share}")
        if self.phases not in PHASES:
            raise InvalidValueError(f"a core reads in {' or '.join(map(str, PHASES))} phases, not {self.phases}")

    def relative_energy(self, bits: float | Amounts) -> Amounts:
        """Energy of a conversion and its share of all other energy, relative to a conversion at `REFERENCE_BITS`.

        Args:
            bits: bits of the ADC, one number or ``(n,)``. 0 (ideal) counts as `REFERENCE_BITS`.
        """
        law = LAWS[self.law]
        real = bits + (bits == 0) * float(REFERENCE_BITS)
        growth: Amounts = law(real) / law(float(REFERENCE_BITS))
        return 1.0 - self.adc_share + self.adc_share * growth

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"law": self.law, "adc_share": self.adc_share, "phases": self.phases}
