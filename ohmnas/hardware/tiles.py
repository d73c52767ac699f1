"""Split weight matrices evenly into crossbar tiles, as in aihwkit (`TileModuleArray.get_split_sizes`)."""

from __future__ import annotations


def even_parts(size: int, pieces: int) -> list[int]:
    """Split `size` into this number of pieces. Their sizes differ by at most one; larger pieces come first."""
    base, extra = divmod(size, pieces)
    return [base + (place < extra) for place in range(pieces)]


def split_sizes(size: int, largest: int) -> list[int]:
    """Split `size` evenly into the smallest number of pieces of at most `largest`."""
    return even_parts(size, -(-size // largest))
