"""Damage to files, the same in each run: bytes flipped, dropped, doubled, swapped for what parsers stumble over."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

ODD_BYTES = (b"\x00", b"\xff", b",", b'"', b"\n", b"\r", b"-", b"1e999", b"nan", b"=", b"\x1b[2J", "\u202e".encode())
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 0.5, 2**31, 2**63, 10**30, 1e308, float("inf"), float("nan")),
    *("", "x", "\x1b[2J", "=1+1", "../up", "y" * 5000, "\x00"),
    *([], [None], [[]], [1, "x"], {}, {"x": None}, {"name": 3}, [{}] * 3),
)


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """A copy with one to four places changed."""
    changed = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        start = int(rng.integers(len(changed) + 1))
        length = int(rng.integers(1, 40))
        kind = rng.integers(6)
        if kind == 0 and start < len(changed):
            changed[start] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            del changed[start : start + length]
        elif kind == 2:
            changed[start:start] = changed[start : start + length]
        elif kind == 3:
            changed[start : start + length] = rng.bytes(length)
        elif kind == 4:
            odd = ODD_BYTES[rng.integers(len(ODD_BYTES))]
            changed[start : start + len(odd)] = odd
        elif rng.random() < 0.3:
            del changed[start:]
    return bytes(changed)


def damaged_values(values: Any, rng: np.random.Generator) -> Any:
    """A copy of JSON values in which one or two, at any depth, are others, missing, or there twice."""
    copy = json.loads(json.dumps(values))
    for _ in range(rng.integers(1, 3)):
        place = copy
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = keys[rng.integers(len(keys))]
            inner = place[key]
            if isinstance(inner, dict | list) and inner and rng.random() < 0.8:
                place = inner
                continue
            kind = rng.integers(5)
            if kind == 0:
                del place[key]
            elif kind == 1 and isinstance(place, list):
                place.append(inner)
            else:
                place[key] = ODD_VALUES[rng.integers(len(ODD_VALUES))]
            break
    return copy
