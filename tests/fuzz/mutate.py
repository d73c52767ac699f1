"""Seeded damage to files: what a disk, a copy or a stranger may make of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

NUMBERS = [0, 1, 2, 127, 128, 255, 256, 32767, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1]
"""Sizes and counts at which readers break."""
LONGEST = 1 << 18


def damaged(files: Sequence[bytes], count: int, seed: int, tokens: Sequence[bytes] = ()) -> Iterator[bytes]:
    """So many damaged files, each after one of `files`, with one to four faults.

    Args:
        files: whole ones.
        count: of the damaged ones.
        seed: the same seed makes the same files.
        tokens: pieces of the format, or what it should not have, to put somewhere.
    """
    for child in range(count):
        rng = np.random.default_rng([seed, child])
        content = files[child % len(files)]
        for _ in range(int(rng.integers(1, 5))):
            content = _damage(content, rng, tokens)[:LONGEST]
        yield content


def _damage(content: bytes, rng: np.random.Generator, tokens: Sequence[bytes]) -> bytes:
    first, last = sorted(int(one) for one in rng.integers(len(content) + 1, size=2))
    last = min(last, first + int(rng.integers(1, 64))) if rng.random() < 0.7 else last
    before, cut, after = content[:first], content[first:last], content[last:]
    kind = rng.integers(9 if tokens else 8)
    if kind == 0:
        flipped = bytearray(content)
        for place in rng.integers(len(content), size=int(rng.integers(1, 9))) if content else ():
            flipped[place] ^= 1 << int(rng.integers(8))
        return bytes(flipped)
    if kind == 1:
        return content[:first]
    if kind == 2:
        return before + after
    if kind == 3:
        return before + rng.bytes(int(rng.integers(1, 64))) + after
    if kind == 4:
        return before + cut * int(rng.integers(2, 200)) + after
    if kind == 5:
        return before + cut[::-1] + after
    if kind == 6:
        return after + cut + before
    if kind == 7:
        width = int(rng.choice([1, 2, 4, 8]))
        number: bytes = (NUMBERS[int(rng.integers(len(NUMBERS)))] % 256**width).to_bytes(width, "little")
        return before + number + content[first + width :]
    return before + tokens[int(rng.integers(len(tokens)))] + (after if rng.random() < 0.5 else cut + after)
