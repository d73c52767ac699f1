"""Learns a measured table: rank, predict, score. No torch."""

from ohmnas.surrogate.surrogate import HEADS, LearningSet, Prediction, Surrogate

__all__ = ["HEADS", "LearningSet", "Prediction", "Surrogate"]
