"""Names of the criteria that compare sub-spaces. Imports no slow module, so help is fast."""

from __future__ import annotations

from typing import Final

CRITERIA: Final = {
    "accuracy": "mean predicted accuracy after one day",
    "best": "90 % quantile of the predicted accuracy",
    "macs": "mean multiply-accumulates, the criterion of TinyNAS",
}
"""Name (a field of `search.subspaces.Subspace`) -> meaning; larger is better."""
