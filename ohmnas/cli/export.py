"""`ohmnas export`: export a trained network to PyTorch, ONNX, aihwkit or the Hugging Face hub."""

from __future__ import annotations

import argparse

from ohmnas.cli import render
from ohmnas.datasets.campaign.trained import TrainedNetwork
from ohmnas.export import export


def run(arguments: argparse.Namespace) -> None:
    """Export the network and print its files."""
    trained = TrainedNetwork.load(arguments.network)
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
        render.line(f"largest difference from our outputs: {done.difference:.1g} (relative to the largest output or 1)")
    if done.use:
        render.line("to load it:")
        render.line(f"  {done.use}")
