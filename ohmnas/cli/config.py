"""`--config`: read flags from a TOML file. Each command writes such a file beside its result, to repeat the command."""

from __future__ import annotations

import argparse
import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ohmnas.errors import BrokenFileError, InvalidValueError, in_short, shown
from ohmnas.files import read_text, write_atomically
from ohmnas.lookup import suggestion
from ohmnas.version import version

FLAG: Final = "--config"
_LARGEST: Final = 1 << 16
"""Largest size of a file of flags in bytes. Python's TOML parser can take time quadratic in the size."""
_NUMBER: Final = re.compile(r"(?!-0$)-?(0|[1-9]\d{0,15})(\.\d*[1-9])?")
"""Numbers whose spelling a TOML parser may preserve; it changes -0 and 1.10. See `_value`."""
_NOT_RECORDED: Final = frozenset({"help", "config", "json", "quiet"})
"""Flags that change what is printed, not what is computed."""


def with_config(words: Sequence[str], commands: Mapping[str, argparse.ArgumentParser]) -> list[str]:
    """Replace ``--config FILE`` with the flags in the file. Flags on the command line come later and take precedence.

    Args:
        words: words of the command line, beginning with the command.
        commands: command -> its parser.

    Raises:
        InvalidValueError: the flag does not name exactly one file, or the file cannot be read, belongs to another
            command, or has a flag or a value that the command does not accept.
    """
    kept: list[str] = []
    files: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == FLAG:
            files.append(next(rest, ""))
        elif word.startswith(f"{FLAG}="):
            files.append(word.partition("=")[2])
        else:
            kept.append(word)
    several = 2 if " ".join(kept[:2]) in commands else 1
    command = " ".join(kept[:several])
    if not files or command not in commands:
        return [*words]
    if len(files) > 1 or not files[0]:
        raise InvalidValueError(f"{FLAG} takes one file, such as {FLAG} run.toml")
    return [*kept[:several], *_read(Path(files[0]), command, commands[command], kept[several:]), *kept[several:]]


def _read(path: Path, command: str, parser: argparse.ArgumentParser, given: Sequence[str]) -> list[str]:
    """Return the words of a file, without flags that exclude a flag of the `given` words.

    Values without a flag come first; otherwise, a flag with several values would take them.
    """
    try:
        values = tomllib.loads(read_text(path, _LARGEST))
    except BrokenFileError as error:
        raise InvalidValueError(str(error)) from error
    except (ValueError, OverflowError, RecursionError) as error:
        raise InvalidValueError(f"{path} is not TOML: {in_short(error, 200)}") from error
    of = values.pop("command", command)
    if of != command:
        raise InvalidValueError(f"{path} has flags of ohmnas {shown(of)}, not of ohmnas {command}")
    known = {_key(action): action for action in parser._actions if action.dest not in ("help", "config")}
    plain: list[str] = []
    flags: list[str] = []
    replaced = _excluded(parser, given)
    for key, value in values.items():
        if key not in known:
            raise InvalidValueError(f"{path}: ohmnas {command} has no flag {shown(key)}{suggestion(known, key)}")
        if key in replaced:
            continue
        try:
            (flags if known[key].option_strings else plain).extend(_words(known[key], value))
        except InvalidValueError as error:
            raise InvalidValueError(f"{path}: {key} {error}") from error
    return [*plain, *flags]


def _excluded(parser: argparse.ArgumentParser, given: Sequence[str]) -> set[str]:
    """Return the keys of all flags that exclude a given flag, such as ``task`` for ``--table``."""
    flags = {word.partition("=")[0] for word in given if word.startswith("--")}
    groups = [group._group_actions for group in parser._mutually_exclusive_groups]
    return {
        _key(action)
        for group in groups
        if any(flags & {*action.option_strings} for action in group)
        for action in group
        if not flags & {*action.option_strings}
    }


def _key(action: argparse.Action) -> str:
    """Return the name of an argument in a file: the flag without its dashes."""
    return action.option_strings[-1].lstrip("-") if action.option_strings else action.dest


def _words(action: argparse.Action, value: Any) -> list[str]:
    """Return the words of one argument."""
    flag = action.option_strings[-1] if action.option_strings else ""
    if action.nargs == 0:
        if not isinstance(value, bool):
            raise InvalidValueError(f"is {shown(value)}, but must be true or false")
        return [flag] if value else []
    values = [_word(one) for one in (value if isinstance(value, list) else [value])]
    if action.nargs in ("+", "*"):
        return [flag, *values] if flag else values
    if not values:
        raise InvalidValueError("has no values; leave it out instead")
    if len(values) != 1 and not _appends(action):
        raise InvalidValueError("has several values, but takes one")
    return [f"{flag}={one}" if flag else one for one in values]


def _word(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidValueError(f"is {shown(value)}, but must be a string or a number")
    return str(value)


def _appends(action: argparse.Action) -> bool:
    return isinstance(action, argparse._AppendAction)


def record(arguments: argparse.Namespace, interrupted: bool = False) -> None:
    """Write the flags of a command beside its output: ``found/search.toml``, or ``mine.fit.toml`` beside ``mine.npz``.

    Args:
        arguments: parsed arguments; nothing is written for a command without an output.
        interrupted: True writes the file only if the command has saved something.

    Raises:
        StorageError: the write failed.
    """
    out = _output(arguments)
    if out is None or not (out.exists() or (out.parent.is_dir() and not interrupted)):
        return
    name = f"{arguments.command.replace(' ', '-')}.toml"
    path = out / name if out.is_dir() else out.with_name(f"{out.stem}.{name}")
    text = as_toml(arguments.parser.given, arguments.command, path)
    if not re.search("[\ud800-\udfff]", text):  # TOML is UTF-8, and a file name may have other bytes
        write_atomically(path, text)


def _output(arguments: argparse.Namespace) -> Path | None:
    """Return the output of a command; None if it has none."""
    if arguments.output is None or arguments.module == "status":  # --status leaves the store unchanged
        return None
    if arguments.output:
        named = Path(getattr(arguments, arguments.output))
        return named if named.is_dir() else named.parent
    out: Path | None = getattr(arguments, "out", None) or getattr(arguments, "store", None)
    return out


def as_toml(given: Iterable[tuple[argparse.Action, Sequence[str]]], command: str, path: Path) -> str:
    """Return the flags as TOML.

    Args:
        given: arguments with their words, in the order of the command line.
        command: name of the command.
        path: path of the file, for the comment.
    """
    values: dict[str, Any] = {}
    for action, words in given:
        key = _key(action)
        if action.dest in _NOT_RECORDED or (not words and action.nargs != 0):
            continue
        if action.nargs == 0:
            values[key] = "true"
        elif _appends(action):
            values[key] = [*values.get(key, []), *map(_value, words)]
        elif action.nargs in ("+", "*"):
            values[key] = [*map(_value, words)]
        else:
            values[key] = _value(words[0])
    lines = [f"{key} = {value if isinstance(value, str) else _array(value)}" for key, value in values.items()]
    head = f"# ohmnas {version()}. To repeat: ohmnas {command} --config {json.dumps(str(path), ensure_ascii=False)}"
    return "\n".join([head, f'command = "{command}"', *lines, ""])


def _array(values: Sequence[str]) -> str:
    return f"[{', '.join(values)}]"


def _value(word: str) -> str:
    """Return a word as a TOML value."""
    if _NUMBER.fullmatch(word) and str(tomllib.loads(f"x = {word}")["x"]) == word:
        return word
    return json.dumps(word, ensure_ascii=False).replace("\x7f", "\\u007f")
