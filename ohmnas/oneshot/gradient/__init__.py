"""Gradient search: learns the probabilities of a network's choices together with its weights. Searching needs torch."""

from typing import TYPE_CHECKING

from ohmnas.lazy import attach

if TYPE_CHECKING:
    from ohmnas.oneshot.gradient.search import gradient_search
    from ohmnas.oneshot.gradient.settings import METHODS, REMEDIES, Settings
else:
    __getattr__, __dir__ = attach(
        __name__,
        {
            "METHODS": "ohmnas.oneshot.gradient.settings",
            "REMEDIES": "ohmnas.oneshot.gradient.settings",
            "Settings": "ohmnas.oneshot.gradient.settings",
            "gradient_search": "ohmnas.oneshot.gradient.search",
        },
    )

__all__ = ["METHODS", "REMEDIES", "Settings", "gradient_search"]
