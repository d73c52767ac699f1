from __future__ import annotations

import pytest

from ohmnas.cli.arguments import Parser
from ohmnas.cli.problem_flags import add_problem
from ohmnas.search.limits import CEILINGS


@pytest.fixture
def words() -> Parser:
    parser = Parser(prog="ohmnas search")
    add_problem(parser)
    return parser


@pytest.mark.parametrize("name", CEILINGS)
def test_every_ceiling_has_its_flag(name: str, words: Parser) -> None:
    arguments = words.parse_args([f"--{name.replace('_', '-')}", "1"])
    assert getattr(arguments, name) == 1


def test_without_flags_nothing_is_asked_for(words: Parser) -> None:
    arguments = vars(words.parse_args([]))
    assert {name: arguments[name] for name in ("objective", "pareto")} == {"objective": "ratio", "pareto": ()}
    assert not any(
        arguments[name] for name in (*CEILINGS, "floor", "confidence", "soft", "at_least", "at_most", "fix", "range")
    )


@pytest.mark.parametrize("flag", ["--soft", "--weight", "--fix", "--range", "--at-least", "--at-most"])
def test_flags_with_pairs_can_be_repeated(flag: str, words: Parser) -> None:
    arguments = words.parse_args([flag, "M=1", flag, " R = 2 "])
    assert getattr(arguments, flag[2:].replace("-", "_")) == [("M", "1"), ("R", "2")]
