"""Simulation of networks on chips: noise-aware training, programming, drift, accuracy over time. Needs torch."""
