"""Rules for the paths of a training step, by name. Does not import torch, so help is fast."""

from __future__ import annotations

from typing import Final

RULES: Final = {
    "uniform": "one random path (Guo et al., 2020)",
    "sandwich": "a large, a small and two random paths; the others learn from the large path (Yu et al., 2020)",
    "shrinking": "one random path; at first, only large ones (after Cai et al., 2020)",
}
"""Rule -> the paths of a step."""
