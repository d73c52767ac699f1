"""Inverted residuals with depthwise convolutions, for small chips. Only `network` imports torch."""

from ohmnas.spaces.mobile.architecture import MobileArchitecture, MobileStage
from ohmnas.spaces.mobile.references import REFERENCES
from ohmnas.spaces.mobile.space import MobileSpace

__all__ = ["REFERENCES", "MobileArchitecture", "MobileSpace", "MobileStage"]
