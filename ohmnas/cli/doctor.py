"""`ohmnas doctor`: installed packages, whether they work together, plugins, and the folders in use."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

import ohmnas
from ohmnas.cli import render
from ohmnas.datasets.tasks.loaders.files import cache_folder
from ohmnas.version import version

_SECONDS: Final = 300.0
"""Time limit for importing torch and aihwkit. The import takes a minute if the files are not in the disk cache."""
_DEVELOPERS: Final = frozenset({"dev", "docs", "bench"})
"""Extras for the development of ohmnas."""
_TRIAL: Final = """
import torch
from aihwkit.nn import AnalogLinear
from aihwkit.simulator.configs import InferenceRPUConfig
AnalogLinear(2, 2, rpu_config=InferenceRPUConfig())(torch.zeros(1, 2))
print(torch.cuda.device_count() if torch.cuda.is_available() else 0)
"""
"""Runs an analog layer and prints the number of GPUs. Incompatible versions fail at the import or at the layer."""


def run(arguments: argparse.Namespace) -> None:
    """Check the installation and print the result."""
    packages = [*_packages()]
    training = _training({one["package"]: one["installed"] for one in packages})
    plugins = [*_plugins()]
    folders = _folders()
    if arguments.json:
        render.machine(
            {
                "ohmnas": version(),
                "python": platform.python_version(),
                "platform": platform.platform(),
                "packages": packages,
                "training": training,
                "plugins": plugins,
                "folders": folders,
            }
        )
        return
    render.line(f"ohmnas {version()}, Python {platform.python_version()}, {platform.platform()}")
    render.table(
        ["package", "installed", "needed", "extra", "state"],
        [[one["package"], one["installed"] or "no", one["needed"], one["extra"], one["state"]] for one in packages],
    )
    render.line(f"training: {training}")
    if lacking := sorted({one["extra"] for one in packages if one["state"] == "missing" and one["extra"]}):
        render.line(f"to install what is missing: pip install 'ohmnas[{','.join(lacking)}]'")
    for plugin in plugins:
        render.line(f"plugin: {plugin['name']} in {plugin['group']}, from {plugin['package']}")
    render.table(["folder", "path", "state"], [[one["folder"], one["path"], one["state"]] for one in folders])


def _packages() -> Iterator[dict[str, str]]:
    """Yield the packages that ohmnas needs, by extra: installed version, tested range of versions, state."""
    extras = [
        extra for extra in metadata.metadata("ohmnas").get_all("Provides-Extra") or [] if extra not in _DEVELOPERS
    ]
    wanted = [Requirement(text) for text in metadata.requires("ohmnas") or []]
    seen: set[str] = set()
    for extra in ("", *extras):
        for one in wanted:
            applies = one.marker is None or one.marker.evaluate({"extra": extra})
            if not applies or one.name in seen or one.name == "ohmnas":
                continue
            seen.add(one.name)
            installed = _installed(one.name)
            fits = installed is None or one.specifier.contains(installed, prereleases=True)
            yield {
                "package": one.name,
                "installed": installed or "",
                "needed": str(one.specifier),
                "extra": extra,
                "state": "missing" if installed is None else "ok" if fits else "not tested",
            }


def _installed(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _training(installed: dict[str, str]) -> str:
    """Describe whether torch and aihwkit work together. A separate process tries them, because a bad pair can crash."""
    if not (installed.get("torch") and installed.get("aihwkit")):
        return "not installed; search, fit and describe work without it"
    try:
        done = subprocess.run(  # noqa: S603 - this Python
            [sys.executable, "-c", _TRIAL], capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"torch and aihwkit did not load within {_SECONDS:.0f} s"
    pair = f"torch {installed['torch']} with aihwkit {installed['aihwkit']}"
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return f"{pair} fails: {reason}"
    gpus = int(done.stdout.split()[-1])
    return f"{pair} works; {gpus or 'no'} GPU{'s' if gpus > 1 else ''}"


def _plugins() -> Iterator[dict[str, str]]:
    """Yield the entry points that installed packages add."""
    for package in metadata.distributions():
        for entry in package.entry_points:
            if entry.group.startswith("ohmnas."):
                yield {"name": entry.name, "group": entry.group, "package": package.name}


def _folders() -> list[dict[str, str]]:
    """Return the folders that commands read and write by default."""
    data = Path(os.environ.get("OHMNAS_DATA", "data"))
    folders = {
        "package": Path(ohmnas.__file__).parent,
        "data ($OHMNAS_DATA)": data,
        "cache ($OHMNAS_CACHE)": cache_folder(),
    }
    return [{"folder": name, "path": str(path or ""), "state": _state(path)} for name, path in folders.items()]


def _state(path: Path | None) -> str:
    if path is None or not path.is_dir():
        return "does not exist"
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return f"{size / 1e6:,.0f} MB"
