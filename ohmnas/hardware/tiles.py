"""Even cuts of a weight matrix into crossbar tiles, as in aihwkit (`TileModuleArray.get_split_sizes`)."""

from __future__ import annotations


def even_parts(size: int, pieces: int) -> list[int]:
    """Cut `size` into a number of pieces; their sizes differ by at most one, larger ones first."""
    base, extra = divmod(size, pieces)
    return [base + (place < extra) for place in range(pieces)]


def split_sizes(size: int, largest: int) -> list[int]:
    """Cut `size` into the smallest number of pieces of at most `largest`."""
    return even_parts(size, -(-size // largest))
