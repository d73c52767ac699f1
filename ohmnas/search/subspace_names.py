"""Names of the criteria that compare sub-spaces. Imports no heavy module, so help is fast."""

from __future__ import annotations

from typing import Final

CRITERIA: Final = {
    "accuracy": "mean predicted accuracy after one day",
    "best": "90 % quantile of the predicted accuracy",
    "macs": "mean multiply-accumulates, the criterion of TinyNAS",
}
"""Name -> meaning, a field of `search.subspaces.Subspace`; larger is better."""
