"""`Prediction`: what a surrogate says of a population."""

from __future__ import annotations

from dataclasses import dataclass

from ohmnas.surrogate.heads import Values


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the heads say of n architectures, each ``(n,)``, as fractions."""

    accuracy_1d: Values
    """Predicted mean accuracy one day after programming."""
    accuracy_1d_std: Values
    """Predicted standard deviation of it over chips; at least what the table can resolve."""
    avm: Values
    """Predicted accuracy variation over one month."""
