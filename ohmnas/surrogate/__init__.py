"""Learns a measured table: rank, predict, score. No torch."""

from ohmnas.surrogate.learning import HEADS, LearningSet
from ohmnas.surrogate.prediction import Prediction
from ohmnas.surrogate.surrogate import Surrogate
from ohmnas.surrogate.transfer import Start

__all__ = ["HEADS", "LearningSet", "Prediction", "Start", "Surrogate"]
