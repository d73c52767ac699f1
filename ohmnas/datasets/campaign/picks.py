"""Pick networks from a search result for verification, by words such as ``front:28``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.lookup import suggestion
from ohmnas.search.candidate import Candidate
from ohmnas.search.result import SearchResult
from ohmnas.spaces.genes import Population

FOUND: Final = "found"
"""Name of the best network of a result."""
_PLACE: Final = re.compile(r"(top|front):(\d{1,9})")
_GENOME: Final = re.compile(r"-?\d{1,9}(,-?\d{1,9})+")


def picked(result: SearchResult, words: Sequence[str]) -> dict[str, Candidate]:
    """Return word -> picked network; repeated words count once.

    Args:
        result: result of a search.
        words: `found`; `front:28` or `top:2`, counted from 1 as printed; the name of a reference network; or genes,
            separated by commas.

    Raises:
        UnknownNameError: a word is none of these.
        InvalidValueError: the front or top has no such place, the genes are invalid, or the result has no chip for the
            reference.
    """
    return {word: _picked(result, word) for word in dict.fromkeys(words)}


def _picked(result: SearchResult, word: str) -> Candidate:
    if word == FOUND:
        return result.best
    if place := _PLACE.fullmatch(word):
        return _at(result, place[1], int(place[2]))
    if _GENOME.fullmatch(word):
        genome = np.array([[int(gene) for gene in word.split(",")]], dtype=np.int64)
        return _without_prediction(result, result.space.check(genome), "")
    known = {candidate.name: candidate for candidate in result.references}
    if word in known:
        return known[word]
    references = result.space.networks.references
    if word not in references:
        raise UnknownNameError(
            f"no network {word!r} in the result: pick found, top:K, front:K, genes separated by commas, or one of "
            f"{', '.join(references)}{suggestion(references, word)}"
        )
    if result.space.has_chips:
        raise InvalidValueError(f"{word} violates the limits of the search, so the result has no chip for it")
    return _without_prediction(result, result.space.encode([references[word]]), word)


def _at(result: SearchResult, where: str, place: int) -> Candidate:
    """Return the candidate at a place in the front or the top, counted from 1."""
    among: list[Candidate] = result.front if where == "front" else result.top or [result.best]
    if not 1 <= place <= len(among):
        has = f"{where} has {len(among)} network{'' if len(among) == 1 else 's'}" if among else f"result has no {where}"
        raise InvalidValueError(f"there is no {where}:{place}: the {has}")
    return among[place - 1]


def _without_prediction(result: SearchResult, genome: Population, name: str) -> Candidate:
    """Return a candidate without predictions for a ``(1, g)`` genome."""
    layers = result.space.layers(genome)
    return Candidate(
        result.space.decode(genome)[0],
        tuple(genome[0].tolist()),
        int(layers.params()[0]),
        int(layers.macs()[0]),
        {},
        name,
        chip=result.space.chip_names(genome)[0],
        space=result.space,
    )
