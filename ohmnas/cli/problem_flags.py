"""The flags that say what is searched for: limits, what is wanted, bounds on genes; `problem` reads them."""

from __future__ import annotations

import argparse

from ohmnas.cli.arguments import above_zero, fraction, names, pair, probability, size
from ohmnas.cli.choices import OBJECTIVES, QUANTITIES


def add_problem(parser: argparse.ArgumentParser) -> None:
    """The flags that make a problem."""
    hard = parser.add_argument_group("limits")
    hard.add_argument("--max-params", type=size, metavar="N", help="at most N parameters, such as 50k")
    hard.add_argument("--max-macs", type=size, metavar="N", help="at most N multiply-accumulates an image, such as 2M")
    hard.add_argument("--max-size", type=size, metavar="B", help="at most B bytes: weights of 8 bits, others of 32")
    hard.add_argument("--max-memory", type=size, metavar="N", help="at most N activations alive at once")
    hard.add_argument("--max-tiles", type=size, metavar="N", help="at most N crossbar tiles of the chip")
    hard.add_argument("--max-cells", type=size, metavar="N", help="at most N cells of these tiles, such as 500k")
    hard.add_argument("--max-energy", type=above_zero, metavar="J", help="at most J joules an image, such as 5e-6")
    hard.add_argument("--max-latency", type=above_zero, metavar="S", help="at most S seconds an image, such as 1e-4")
    hard.add_argument(
        "--max-avm", type=fraction, metavar="F", help="accuracy variation over a month at most F, such as 0.02"
    )
    hard.add_argument(
        "--max-std", type=fraction, metavar="F", help="std of the accuracy over chips at most F, such as 0.01"
    )
    hard.add_argument(
        "--min-accuracy",
        type=fraction,
        metavar="F",
        help="accuracy after a day at least F, such as 0.9 (half of the way from guessing to the best known)",
    )
    hard.add_argument(
        "--confidence",
        type=probability,
        metavar="P",
        help="limits on predictions hold with this probability, such as 0.9 (as expected)",
    )
    hard.add_argument(
        "--soft", type=pair, action="append", metavar="Q=N", help="what a quantity may exceed at a price: macs=500k"
    )
    hard.add_argument(
        "--penalty", type=above_zero, metavar="X", help="that price: X times the share beyond what --soft says (1)"
    )
    wanted = parser.add_argument_group("what is wanted")
    wanted.add_argument(
        "--objective",
        choices=OBJECTIVES,
        default="ratio",
        help="what is maximised; ratio is accuracy over its std (ratio)",
    )
    wanted.add_argument(
        "--weight", type=pair, action="append", metavar="Q=W", help="of a quantity in objectives that weigh"
    )
    wanted.add_argument(
        "--pareto", type=names, default=(), metavar="Q,Q", help=f"the front of some of {', '.join(QUANTITIES)}"
    )
    where = parser.add_argument_group("where is searched")
    where.add_argument(
        "--fix",
        type=pair,
        action="append",
        metavar="G=V",
        help="a gene at one value: KS0=3, B=1, CT2=A; with --co-design also those of the chip: TECH=hermes, TILE=256",
    )
    where.add_argument(
        "--range", type=pair, action="append", metavar="G=A:B", help="a gene within a range: M=1:3, ADC=5:7"
    )
