"""Refinement: alternate search and measurement, and fit the surrogate again in each round.

The package can be called like its function: ``ohmnas.refine(campaign, store, fit)``.
"""

from typing import TYPE_CHECKING

from ohmnas.lazy import attach, call_as_function

if TYPE_CHECKING:
    from ohmnas.refine.batch import Split
    from ohmnas.refine.run import Effort, refine
else:
    __getattr__, __dir__ = attach(
        __name__,
        {"Effort": "ohmnas.refine.run", "Split": "ohmnas.refine.batch", "refine": "ohmnas.refine.run"},
    )

call_as_function(__name__)

__all__ = ["Effort", "Split", "refine"]
