"""Argument types for the command line. Each error states which values are valid."""

from __future__ import annotations

import argparse
import math
import re
import sys
from collections.abc import Callable, Collection, Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from ohmnas.errors import OhmnasError
from ohmnas.lookup import check_name
from ohmnas.pictures import FORMATS
from ohmnas.registry import Registry

if TYPE_CHECKING:
    from ohmnas.hardware import Hardware

_SIZE = re.compile(r"(\d+(?:\.\d+)?)([kKmMgG]?|[eE]\+?\d{1,2})")
_GROUPED = re.compile(r"[1-9]\d{0,2}(,\d{3})+")
_FACTOR = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
_LONGEST_SIZE = 18
"""Largest number of digits and points in a size. A Decimal holds such a size exactly, with any unit."""


class Parser(argparse.ArgumentParser):
    """Parser that reports an error in one sentence and exits with 2."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.given: list[tuple[argparse.Action, list[str]]] = []
        """Arguments of the command line with their words, in order."""
        self.set_defaults(parser=self)  # the subcommand's parser overrides the main one

    def parse_args(self, args: Iterable[str] | None = None, namespace: Any = None) -> Any:
        """Parse all words, after replacing `--config` with the flags in its file, and store them as `words`.

        The error for an unknown option points to the command's help; argparse would point to the main help.

        Raises:
            InvalidValueError: the file given with `--config` cannot be used.
        """
        words = sys.argv[1:] if args is None else [*args]
        if any(word.partition("=")[0] == "--config" for word in words):
            from ohmnas.cli.config import with_config

            words = with_config(words, self.commands())
        arguments, unknown = self.parse_known_args(words, namespace)
        arguments.words = words
        if unknown:
            arguments.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
        return arguments

    def commands(self) -> dict[str, argparse.ArgumentParser]:
        """Return the parser of each command; a command with actions has one per action: ``supernet train``."""
        subparsers = [action for action in self._actions if isinstance(action, argparse._SubParsersAction)]
        found: dict[str, argparse.ArgumentParser] = {}
        for name, parser in [pair for action in subparsers for pair in action.choices.items()]:
            inside = parser.commands() if isinstance(parser, Parser) else {}
            found |= {f"{name} {action}": one for action, one in inside.items()} or {name: parser}
        return found

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        """Convert the words of an argument, and store them in `given`."""
        self.given.append((action, [*arg_strings]))
        return super()._get_values(action, arg_strings)

    def error(self, message: str) -> NoReturn:
        """Print the error and exit."""
        self.exit(2, f"{self.prog}: error: {message}; see {self.prog} --help\n")


def size(text: str) -> int:
    """Parse a count such as 50k, 1.5M, 2000, 2,000 or 2e3."""
    plain = text.strip()
    match = _SIZE.fullmatch(plain.replace(",", "") if _GROUPED.fullmatch(plain) else plain)
    if match and len(match[1]) > _LONGEST_SIZE:
        raise argparse.ArgumentTypeError(f"a size has at most {_LONGEST_SIZE} characters, not {len(match[1])}")
    value = Decimal(match[1]) * _factor(match[2]) if match else Decimal(0)  # as a float, 4.1M is not a whole number
    if value < 1 or value != int(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0, such as 50000, 50k or 1M")
    return int(value)


def _factor(unit: str) -> int:
    return 10 ** int(unit[1:]) if unit[:1] in ("e", "E") else _FACTOR[unit.lower()]


def fraction(text: str) -> float:
    """Parse a fraction from 0 to 1, such as an accuracy or a difference of accuracies."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a fraction from 0 to 1; 98 % is 0.98, 2 points are 0.02")
    return value


def floor(text: str) -> float | str:
    """Parse `reference`, `none` or an accuracy as a fraction."""
    if text in ("reference", "none"):
        return text
    try:
        return fraction(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not 'reference', 'none' or a fraction such as 0.9") from error


def probability(text: str) -> float:
    """Parse a probability strictly between 0 and 1."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a probability between 0 and 1, such as 0.9")
    return value


def positive(text: str) -> int:
    """Parse a whole number above 0."""
    if not text.strip().isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def count(text: str) -> int:
    """Parse a whole number, 0 or more."""
    if not text.strip().isdecimal() or len(text) > _LONGEST_SIZE:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, 0 or more")
    return int(text)


def above_zero(text: str) -> float:
    """Parse a number above 0, such as seconds or GiB."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0, such as 60, 0.5 or 5e-6")
    return value


def seed(text: str) -> int:
    """Parse a seed: a whole number from 0 to 2^31 - 1."""
    if not text.strip().isdecimal() or int(text) >= 2**31:
        raise argparse.ArgumentTypeError(f"{text!r} is not a seed: a whole number from 0 to 2147483647")
    return int(text)


def chip_name(text: str) -> str:
    """Return the chip's name in tables: the word itself, or the name in a TOML file."""
    chip = _chip(text)
    return chip if isinstance(chip, str) else chip.name


def _chip(text: str) -> str | Hardware:
    """Return a name unchanged, or the chip described in a TOML file."""
    if not text.endswith(".toml"):
        return text
    from ohmnas.hardware import hardware  # imports NumPy, which --help does not need

    try:
        return hardware(text)
    except OhmnasError as error:  # argparse would drop its message
        raise argparse.ArgumentTypeError(str(error)) from error


def pair(text: str) -> tuple[str, str]:
    """Parse NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name.strip(), value.strip()


def names(text: str) -> tuple[str, ...]:
    """Parse a comma-separated list of names."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def one_of(kind: str, known: Collection[str]) -> Callable[[str], str]:
    """Return an argument type that accepts only these names; its error suggests the closest name.

    No entry of a registry is imported.
    """

    def name(text: str) -> str:
        try:
            known.check(text) if isinstance(known, Registry) else check_name(kind, known, text)
        except OhmnasError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
        return text

    return name


def add_general(parser: argparse.ArgumentParser) -> None:
    """Add `--config` and `--quiet`, which every command has."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        action=_Config,
        help="take flags from this TOML file; flags on the command line take precedence",
    )
    parser.add_argument("--quiet", action="store_true", help="print warnings and errors only")


class _Config(argparse.Action):
    """Reject an abbreviated flag. `Parser.parse_args` replaces `--config` itself before this action can run."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        parser.error("--config needs one file and cannot be abbreviated: --config run.toml")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add `--json`, which every command has."""
    parser.add_argument("--json", action="store_true", help="print one JSON object and no progress")


def add_jobs(parser: argparse._ActionsContainer) -> None:
    """Add `--jobs`, for commands that measure."""
    parser.add_argument("--jobs", type=positive, default=2, metavar="N", help="worker processes, one thread each (2)")


def add_format(parser: argparse._ActionsContainer) -> None:
    """Add `--format`, for commands that draw pictures."""
    parser.add_argument("--format", choices=FORMATS, default=FORMATS[0], help=f"format of the pictures ({FORMATS[0]})")


def add_data_dir(parser: argparse.ArgumentParser) -> None:
    """Add `--data-dir`, for commands that load images."""
    parser.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="folder with the task's files ($OHMNAS_DATA, or data)"
    )


class _ChipAction(argparse.Action):
    """Store the chip's name as `hardware` and, if it comes from a file, its settings as `chip`."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        del parser, option
        namespace.hardware, namespace.chip = (values, None) if isinstance(values, str) else (values.name, values)


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add the flags that select rows of a table, for commands that train a surrogate."""
    parser.add_argument(
        "--hardware",
        type=_chip,
        action=_ChipAction,
        metavar="CHIP",
        help="chip, by name or TOML file (default: the only one in the table, or pcm)",
    )
    parser.set_defaults(chip=None)
    parser.add_argument("--fidelity", help="training fidelity (default: the only one in the table, or table)")


def add_co_design(parser: argparse.ArgumentParser) -> None:
    """Add `--co-design`, which trains a surrogate on all chips."""
    parser.add_argument(
        "--co-design",
        action="store_true",
        help="use the rows of all chips, to search technology, tiles and converters together with the network",
    )
