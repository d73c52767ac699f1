"""Families of rising learning curves (Domhan et al., IJCAI 2015, table 1), with values from 0 to 1.

x is the epoch, counted from 1. The inverse logarithm, which is not defined at the first epoch, and the double logarithm
are shifted by one epoch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Family:
    """A curve with parameters in a box."""

    curve: Callable[..., Values]
    """Epochs ``(k,)`` and the parameters -> ``(k,)``."""
    low: tuple[float, ...]
    start: tuple[float, ...]
    """First guess, inside the box; also the centre of the prior."""
    high: tuple[float, ...]


def _pow3(x: Values, c: float, a: float, alpha: float) -> Values:
    return c - a * x**-alpha


def _pow4(x: Values, c: float, a: float, b: float, alpha: float) -> Values:
    return c - (a * x + b) ** -alpha


def _log_power(x: Values, a: float, b: float, c: float) -> Values:
    return a / (1.0 + np.exp(-c * (np.log(x) - b)))


def _log_log_linear(x: Values, a: float, b: float) -> Values:
    return np.log(a * np.log(x + 1.0) + b)


def _hill3(x: Values, top: float, eta: float, kappa: float) -> Values:
    return top / (1.0 + (kappa / x) ** eta)


def _mmf(x: Values, top: float, bottom: float, kappa: float, delta: float) -> Values:
    return top - (top - bottom) / (1.0 + (kappa * x) ** delta)


def _exp4(x: Values, c: float, a: float, b: float, alpha: float) -> Values:
    return c - np.exp(b - a * x**alpha)


def _janoschek(x: Values, top: float, bottom: float, kappa: float, delta: float) -> Values:
    return top - (top - bottom) * np.exp(-kappa * x**delta)


def _weibull(x: Values, top: float, bottom: float, kappa: float, delta: float) -> Values:
    return top - (top - bottom) * np.exp(-((kappa * x) ** delta))


def _vapor_pressure(x: Values, a: float, b: float, c: float) -> Values:
    return np.exp(a + b / x + c * np.log(x))


def _ilog2(x: Values, c: float, a: float) -> Values:
    return c - a / np.log(x + 1.0)


FAMILIES: Final = {
    "pow3": Family(_pow3, (0.0, 0.0, 0.05), (0.9, 0.8, 1.0), (1.0, 2.0, 5.0)),
    "pow4": Family(_pow4, (0.0, 0.01, 0.1, 0.05), (0.9, 1.0, 1.0, 1.0), (1.0, 10.0, 10.0, 5.0)),
    "log_power": Family(_log_power, (0.0, -3.0, 0.05), (0.9, 1.0, 1.5), (1.0, 5.0, 6.0)),
    "log_log_linear": Family(_log_log_linear, (0.0, 1.0), (0.3, 1.2), (2.0, 2.7)),
    "hill3": Family(_hill3, (0.0, 0.05, 0.05), (0.9, 1.5, 3.0), (1.0, 6.0, 50.0)),
    "mmf": Family(_mmf, (0.0, 0.0, 0.01, 0.05), (0.9, 0.1, 0.3, 1.5), (1.0, 1.0, 5.0, 6.0)),
    "exp4": Family(_exp4, (0.0, 0.01, -3.0, 0.05), (0.9, 0.3, 0.0, 1.0), (1.0, 5.0, 2.0, 3.0)),
    "janoschek": Family(_janoschek, (0.0, 0.0, 0.001, 0.05), (0.9, 0.1, 0.3, 1.0), (1.0, 1.0, 5.0, 4.0)),
    "weibull": Family(_weibull, (0.0, 0.0, 0.01, 0.05), (0.9, 0.1, 0.3, 1.0), (1.0, 1.0, 5.0, 4.0)),
    "vapor_pressure": Family(_vapor_pressure, (-5.0, -10.0, 0.0), (-0.3, -1.0, 0.02), (0.0, 0.0, 1.0)),
    "ilog2": Family(_ilog2, (0.0, 0.0), (1.0, 0.5), (1.5, 2.0)),
}
"""Name -> family."""
