"""`ohmnas data`: download a task's official files."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from ohmnas.cli import render
from ohmnas.cli.arguments import add_data_dir, add_json
from ohmnas.datasets.loaders.download import ARCHIVES, download
from ohmnas.datasets.task import task

MEGABYTE = 1_000_000


def add_parser(commands: Any) -> None:
    """Add this command."""
    parser = commands.add_parser("data", help="download a task's official files")
    parser.add_argument("task", help=f"one of {', '.join(ARCHIVES)}; for another it says where its files are")
    add_data_dir(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Download, and load what came to check it."""
    data_dir = arguments.data_dir or Path(os.environ.get("OHMNAS_DATA", "data"))
    chosen = task(arguments.task, data_dir)
    with render.meter(f"downloading {chosen.name}", 1, show=not arguments.json) as meter:

        def report(came: int, total: int) -> None:
            meter.advance(came / total if total else 0, f"{came / MEGABYTE:.0f} of {total / MEGABYTE:.0f} MB")

        folder = download(chosen.name, data_dir, report)
    data = chosen.load()
    counts = {name: len(getattr(data, name).labels) for name in ("train", "validation", "test")}
    if arguments.json:
        render.machine({"task": chosen.name, "folder": str(folder), **counts})
    else:
        images = ", ".join(f"{count:,} for {name}" for name, count in counts.items())
        render.line(f"{chosen.name} is in {folder}: {images}")
