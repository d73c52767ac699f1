"""`ohmnas data`: download a task's official files."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from ohmnas.cli import render
from ohmnas.datasets.tasks.loaders.download import download
from ohmnas.datasets.tasks.task import task

MEGABYTE = 1_000_000


def run(arguments: argparse.Namespace) -> None:
    """Download the files and load them as a check."""
    data_dir = arguments.data_dir or Path(os.environ.get("OHMNAS_DATA", "data"))
    chosen = task(arguments.task, data_dir)
    with render.meter(f"downloading {chosen.name}", 1, show=not arguments.json) as meter:

        def report(received: int, total: int) -> None:
            of = f" of {total / MEGABYTE:.0f}" if total else ""  # some servers do not send the size
            meter.advance(received / total if total else 0, f"{received / MEGABYTE:.0f}{of} MB")

        folder = download(chosen.name, data_dir, report)
    data = chosen.load()
    counts = {name: len(getattr(data, name).labels) for name in ("train", "validation", "test")}
    if arguments.json:
        render.machine({"task": chosen.name, "folder": str(folder), **counts})
    else:
        images = ", ".join(f"{count:,} for {name}" for name, count in counts.items())
        render.line(f"{chosen.name} is in {folder}; images: {images}")
