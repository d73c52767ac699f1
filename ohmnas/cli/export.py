"""`ohmnas export`: export a trained network to PyTorch, ONNX, aihwkit or the Hugging Face hub."""

from __future__ import annotations

import argparse
from shlex import quote

from ohmnas.cli import render
from ohmnas.datasets.campaign.trained import TrainedNetwork, is_trained
from ohmnas.errors import InvalidValueError
from ohmnas.export import export
from ohmnas.search.result import RESULT


def run(arguments: argparse.Namespace) -> None:
    """Export the network and print its files."""
    network = arguments.network
    if not is_trained(network) and (network.is_file() or (network / RESULT).exists()):
        raise InvalidValueError(
            f"{network} is not a trained network; first train the network that the search found: "
            f"ohmnas train {quote(str(network))} --task TASK --out net"
        )
    trained = TrainedNetwork.load(network)
    done = export(trained, arguments.to, arguments.out)
    if arguments.json:
        values = {"out": str(arguments.out), "to": arguments.to, "name": trained.name, "params": trained.params}
        files = sorted(str(path.relative_to(arguments.out)) for path in arguments.out.rglob("*") if path.is_file())
        render.machine({**values, "difference": done.difference, "files": files})
        return
    render.line(f"exported {trained.name} ({trained.architecture}) for {arguments.to}: {arguments.out}")
    for path in sorted(arguments.out.rglob("*")):
        if path.is_file():
            render.line(f"  {path.relative_to(arguments.out)}  {path.stat().st_size / 1000:,.1f} kB")
    if done.difference is not None:
        render.line(
            f"largest difference from ohmnas's outputs: {done.difference:.1g} (relative to the largest output or 1)"
        )
    if done.use:
        render.line("to load it:")
        render.line(f"  {done.use}")
