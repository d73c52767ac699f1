"""Argument types of the command line, each with an error that says what would be right."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable, Collection, Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from ohmnas.errors import OhmnasError
from ohmnas.lookup import check_name

if TYPE_CHECKING:
    from ohmnas.spaces.hardware import Hardware

_SIZE = re.compile(r"(\d+(?:\.\d+)?)([kKmMgG]?|[eE]\+?\d{1,2})")
_GROUPED = re.compile(r"[1-9]\d{0,2}(,\d{3})+")
_FACTOR = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
_LONGEST_SIZE = 18
"""Digits and point: exact in a Decimal, with any unit."""


class Parser(argparse.ArgumentParser):
    """Says in one sentence what is wrong, and exits with 2."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.set_defaults(parser=self)  # a command's own parser overrides that of the top

    def parse_args(self, args: Iterable[str] | None = None, namespace: Any = None) -> Any:
        """Parse all words; what no option is gets the command's help named, where argparse would name the top's."""
        arguments, unknown = self.parse_known_args(None if args is None else [*args], namespace)
        if unknown:
            arguments.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
        return arguments

    def error(self, message: str) -> NoReturn:
        """Print the sentence and leave."""
        self.exit(2, f"{self.prog}: error: {message}; see {self.prog} --help\n")


def size(text: str) -> int:
    """A count that may be written 50k, 1.5M, 2000, 2,000 or 2e3."""
    plain = text.strip()
    match = _SIZE.fullmatch(plain.replace(",", "") if _GROUPED.fullmatch(plain) else plain)
    if match and len(match[1]) > _LONGEST_SIZE:
        raise argparse.ArgumentTypeError(f"a size has at most {_LONGEST_SIZE} characters, not {len(match[1])}")
    value = Decimal(match[1]) * _factor(match[2]) if match else Decimal(0)  # a float of 4.1M is no whole number
    if value < 1 or value != int(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0 such as 50000, 50k or 1M")
    return int(value)


def _factor(unit: str) -> int:
    return 10 ** int(unit[1:]) if unit[:1] in ("e", "E") else _FACTOR[unit.lower()]


def fraction(text: str) -> float:
    """A number from 0 to 1; accuracies and their differences are fractions."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a fraction from 0 to 1; 98 % is 0.98, 2 points are 0.02")
    return value


def probability(text: str) -> float:
    """A number between 0 and 1."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a probability between 0 and 1 such as 0.9")
    return value


def positive(text: str) -> int:
    """A whole number above 0."""
    if not text.strip().isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def count(text: str) -> int:
    """A whole number from 0 on."""
    if not text.strip().isdecimal() or len(text) > _LONGEST_SIZE:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


def above_zero(text: str) -> float:
    """A number above 0, of seconds or GiB; half a one is 0.5."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0 such as 60, 0.5 or 5e-6")
    return value


def seed(text: str) -> int:
    """A seed: a whole number from 0 to 2^31 - 1."""
    if not text.strip().isdecimal() or int(text) >= 2**31:
        raise argparse.ArgumentTypeError(f"{text!r} is not a seed: a whole number from 0 to 2147483647")
    return int(text)


def chip_name(text: str) -> str:
    """The name by which tables call a chip: as given, or that of the chip which a TOML file describes."""
    chip = _chip(text)
    return chip if isinstance(chip, str) else chip.name


def _chip(text: str) -> str | Hardware:
    """A name as given, or the chip that a TOML file describes."""
    if not text.endswith(".toml"):
        return text
    from ohmnas.spaces.hardware import hardware  # with NumPy and more, which --help does without

    try:
        return hardware(text)
    except OhmnasError as error:  # of which argparse would say no more than that the value is invalid
        raise argparse.ArgumentTypeError(str(error)) from error


def pair(text: str) -> tuple[str, str]:
    """NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name.strip(), value.strip()


def names(text: str) -> tuple[str, ...]:
    """Names between commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def one_of(kind: str, known: Collection[str]) -> Callable[[str], str]:
    """A type: one of these names, whose error suggests the closest; the library need not be loaded for it."""

    def name(text: str) -> str:
        try:
            check_name(kind, known, text)
        except OhmnasError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
        return text

    return name


def add_json(parser: argparse.ArgumentParser) -> None:
    """The flag that every command has."""
    parser.add_argument("--json", action="store_true", help="print one JSON object for machines, no progress")


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """How many processes measure, for commands that do."""
    parser.add_argument("--jobs", type=positive, default=2, help="worker processes, one thread each (2)")


def add_data_dir(parser: argparse.ArgumentParser) -> None:
    """Where the files of tasks are, for commands that load images."""
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="folder with the task's files ($OHMNAS_DATA)")


class _ChipAction(argparse.Action):
    """Keep the name of a chip, and as `chip` what a file says of it."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        del parser, option
        namespace.hardware, namespace.chip = (values, None) if isinstance(values, str) else (values.name, values)


def add_source(parser: argparse.ArgumentParser) -> None:
    """Which rows of a table to learn, for commands that fit."""
    parser.add_argument(
        "--hardware",
        type=_chip,
        action=_ChipAction,
        metavar="HARDWARE",
        help="which chip, by name or TOML file (default: the only one, or pcm)",
    )
    parser.set_defaults(chip=None)
    parser.add_argument("--fidelity", help="which fidelity (default: the only one, or table)")


def add_co_design(parser: argparse.ArgumentParser) -> None:
    """Whether a surrogate knows one chip or many."""
    parser.add_argument(
        "--co-design",
        action="store_true",
        help="learn all chips of the table, so that technology, tiles and converters are chosen with the network",
    )
