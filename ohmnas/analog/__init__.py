"""What a chip does to a network: noise-aware training, programming, drift, accuracy over time. Needs torch."""
