"""Seeded damage to files, as a disk, a copy or a stranger may do it, and the judge of their readers."""

from __future__ import annotations

import copy
import json
import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ohmnas.errors import OhmnasError

COUNT = 300
"""Mutations of each kind of file."""
MEMORY = 64 << 20
"""Bytes that a reader may take for a damaged file of less than a megabyte."""
LONGEST_MESSAGE = 700

NUMBERS = [0, 1, 2, 127, 128, 255, 256, 32767, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1]
"""Sizes and counts at which readers break."""
LONGEST = 1 << 18
ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 0.5, 7, 2**31, 2**63, 10**30, 10**400, 1e308, -1e308, float("inf"), float("nan")),
    *("", "x", "1", "\x1b[2J", "=1+1", "../up", "y" * 5000, "\n", "\x00"),
    *([], [None], [[]], [1, "x"], [0.5, 0.5], [1] * 500, {}, {"x": None}, {"name": 3}, {"id": 1}, [{}] * 3),
)
"""JSON values that a file should not have."""


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


def damaged_values(values: Any, rng: np.random.Generator) -> Any:
    """Return a copy of JSON values in which one or two, at any depth, are replaced, missing, or there twice."""
    changed = json.loads(json.dumps(values))
    for _ in range(rng.integers(1, 3)):
        place = changed
        while place:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
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
                place[key] = copy.deepcopy(ODD[rng.integers(len(ODD))])
            break
    return changed


def damaged_texts(values: Any, count: int, seed: int) -> Iterator[bytes]:
    """JSON texts with the faults of `damaged_values`."""
    for child in range(count):
        yield json.dumps(damaged_values(values, np.random.default_rng([seed, child]))).encode()


def survive(path: Path, contents: Iterable[bytes], read: Callable[[Path], object]) -> tuple[int, int]:
    """Count how many files were read and how many refused; anything else fails the test.

    A refusal is an `OhmnasError` of one short line. The limit of the test bounds the time.

    Args:
        path: file that each content is written to; a reader may have its own way from there.
        contents: damaged files.
        read: the reader, with checks of what it returns.
    """
    values = refusals = 0
    for case, content in enumerate(contents):
        path.write_bytes(content)
        tracemalloc.start()
        try:
            read(path)
            values += 1
        except OhmnasError as error:
            refusals += 1
            message = str(error)
            assert "\n" not in message, (case, message)
            assert len(message) < LONGEST_MESSAGE + len(str(path)), (case, message)
        except Exception as error:
            raise AssertionError(f"case {case}: {error!r}") from error
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < MEMORY, (case, peak)
    assert values + refusals >= COUNT
    return values, refusals
