"""Flags of a search problem: limits, objective and bounds on genes. The module `problem` reads them."""

from __future__ import annotations

import argparse
from pathlib import Path

from ohmnas.cli.arguments import above_zero, floor, fraction, names, one_of, pair, positive, probability, size
from ohmnas.costs.conversion import LAWS, PHASES, Conversion
from ohmnas.search.objectives import OBJECTIVES
from ohmnas.search.quantity_names import QUANTITIES
from ohmnas.spaces.schedule import LAYER_BY_LAYER


def add_cost_limits(hard: argparse._ArgumentGroup) -> None:
    """Add the limits on costs."""
    hard.add_argument("--max-params", type=size, metavar="N", help="at most N parameters, such as 50k")
    hard.add_argument("--max-macs", type=size, metavar="N", help="at most N multiply-accumulates per image, such as 2M")
    hard.add_argument(
        "--max-size", type=size, metavar="B", help="at most B bytes: 8-bit weights, 32 bits for other parameters"
    )
    hard.add_argument("--max-memory", type=size, metavar="N", help="at most N activations in memory at once")
    hard.add_argument("--max-tiles", type=size, metavar="N", help="at most N crossbar tiles of the chip")
    hard.add_argument("--max-cells", type=size, metavar="N", help="at most N crossbar cells, such as 500k")
    hard.add_argument("--max-energy", type=above_zero, metavar="J", help="at most J joules per image, such as 5e-6")
    hard.add_argument("--max-latency", type=above_zero, metavar="S", help="at most S seconds per image, such as 1e-4")


def add_problem(parser: argparse.ArgumentParser) -> None:
    """Add the flags that describe a problem."""
    hard = parser.add_argument_group("limits")
    add_cost_limits(hard)
    hard.add_argument(
        "--latency",
        type=Path,
        metavar="FILE",
        help="predict the latency on a device, which --max-latency then limits, from a lookup table of layers (.csv) "
        "or a fitted model (.json) (default: the latency of the chip)",
    )
    hard.add_argument(
        "--max-avm", type=fraction, metavar="F", help="accuracy variation over one month: at most F, such as 0.02"
    )
    hard.add_argument(
        "--max-std", type=fraction, metavar="F", help="standard deviation of accuracy: at most F, such as 0.01"
    )
    hard.add_argument(
        "--floor",
        type=floor,
        metavar="FLOOR",
        help="lowest accuracy. reference: at least the accuracy and at most the AVM of the best reference network "
        "within the limits; F: 1-day accuracy of at least F, such as 0.9; none: no floor (default: reference, or with "
        "--pareto, halfway between guessing and the best measured accuracy)",
    )
    hard.add_argument(
        "--at-least",
        type=pair,
        action="append",
        metavar="T=F",
        help="predicted target: at least F, such as accuracy_1d=0.9",
    )
    hard.add_argument(
        "--at-most", type=pair, action="append", metavar="T=F", help="predicted target: at most F, such as avm=0.02"
    )
    hard.add_argument(
        "--confidence",
        type=probability,
        metavar="P",
        help="meet each limit on a prediction with probability P, such as 0.9 (default: limit the prediction itself)",
    )
    hard.add_argument(
        "--soft",
        type=pair,
        action="append",
        metavar="Q=N",
        help="soft limit on a quantity, such as macs=500k: exceeding it reduces the objective",
    )
    hard.add_argument(
        "--penalty",
        type=above_zero,
        metavar="X",
        help="divide a positive objective by 1 + X times the relative excess over --soft limits (1)",
    )
    proxies = parser.add_argument_group("assumptions behind energy and latency")
    defaults = Conversion()
    proxies.add_argument(
        "--adc-law",
        choices=[*LAWS],
        default=defaults.law,
        help=f"law by which the energy of an ADC grows with its bits ({defaults.law})",
    )
    proxies.add_argument(
        "--adc-share",
        type=fraction,
        default=defaults.adc_share,
        metavar="F",
        help=f"share of the chip's energy used by its ADCs, at 8 bits ({defaults.adc_share})",
    )
    proxies.add_argument(
        "--read-phases",
        type=int,
        choices=[*PHASES],
        default=defaults.phases,
        help=f"read phases of a core: four are slower and more precise ({defaults.phases})",
    )
    memory = parser.add_argument_group("memory of a microcontroller, for the mobile space")
    memory.add_argument(
        "--in-place-depthwise",
        action="store_true",
        help="depthwise convolutions overwrite their input, channel by channel",
    )
    memory.add_argument(
        "--patches",
        type=positive,
        default=LAYER_BY_LAYER.patches,
        metavar="P",
        help="compute the first blocks in P x P patches of the image; the number of these blocks is chosen to minimise "
        "the memory (1)",
    )
    wanted = parser.add_argument_group("objective")
    wanted.add_argument(
        "--objective",
        type=one_of("objective", OBJECTIVES),
        default="ratio",
        help=f"maximise one of {', '.join(OBJECTIVES.own)}; ratio: accuracy / standard deviation (ratio)",
    )
    wanted.add_argument(
        "--weight",
        type=pair,
        action="append",
        metavar="Q=W",
        help="weight of a quantity in a weighted, tchebycheff or exponential objective",
    )
    wanted.add_argument(
        "--pareto",
        type=names,
        default=(),
        metavar="Q,Q",
        help=f"return the Pareto front of two or more of {', '.join(QUANTITIES)}",
    )
    where = parser.add_argument_group("search space")
    where.add_argument(
        "--fix",
        type=pair,
        action="append",
        metavar="G=V",
        help="fix a gene: KS0=3, B=1, CT2=A; with --co-design, chip genes too: TECH=hermes, TILE=256",
    )
    where.add_argument(
        "--range", type=pair, action="append", metavar="G=A:B", help="limit a gene to a range: M=1:3, ADC=5:7"
    )
