"""Run the notebooks of examples/ again and store their outputs.

python benchmarks/notebooks.py [NAME ...] [--out FOLDER]

Each notebook runs in an empty folder. With --out, it is stored in another folder, and examples/ stays as it is. Only
printed text and pictures are kept, without progress and warnings. A notebook whose outputs name a path of this machine
is refused.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from ohmnas.files import write_atomically

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
CELL_SECONDS = 300
"""Longest time of a cell, in seconds."""
_PATH = re.compile(r"(?<![\w.:/])(/(?:home|root|tmp|work|usr|opt|var|Users)/[^\s'\"]*)")


def run(path: Path, folder: Path) -> Any:
    """Return the executed notebook.

    Args:
        path: the notebook.
        folder: folder that the kernel runs in.

    Raises:
        CellExecutionError: a cell failed.
    """
    scripts, others = sysconfig.get_path("scripts"), os.environ.get("PYTHONPATH", "")
    os.environ["PATH"] = f"{scripts}{os.pathsep}{os.environ['PATH']}"
    os.environ |= {"COLUMNS": "100", "NO_COLOR": "1", "PYTHONPATH": f"{ROOT}{os.pathsep}{others}".rstrip(os.pathsep)}
    os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()
    return notebook


def cleaned(notebook: Any) -> Any:
    """Remove everything that differs between two runs, and join the pieces of each stream."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
        if cell.cell_type != "code":
            continue
        cell.metadata = {}
        printed = [output for output in cell.outputs if output.output_type == "stream" and output.name == "stdout"]
        shown = [output for output in cell.outputs if output.output_type in ("display_data", "execute_result")]
        for output in shown:
            output.metadata = {}
            if "image/png" in output.data:
                output.data = {"image/png": output.data["image/png"]}
        text = _plain("".join(output.text for output in printed))
        for output in printed[:1]:
            output.text = text
        cell.outputs = [*(printed[:1] if text.strip() else []), *shown]
    return notebook


def _plain(text: str) -> str:
    lines = [line.rstrip() for line in re.sub(r"\x1b\[[\d;]*m", "", text).strip("\n").splitlines()]
    return "\n".join(lines) + "\n"


def paths_in(notebook: Any) -> list[str]:
    """Return the paths of this machine that outputs name."""
    texts = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            texts += [output.get("text", ""), *(value for kind, value in data.items() if kind.startswith("text/"))]
    return sorted({found for text in texts for found in _PATH.findall(text)})


def main() -> None:
    """Run and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="notebooks (default: all)")
    parser.add_argument(
        "--out", type=Path, default=EXAMPLES, metavar="FOLDER", help="folder to store them in (examples)"
    )
    arguments = parser.parse_args()
    known = {path.stem: path for path in sorted(EXAMPLES.glob("*.ipynb"))}
    if unknown := sorted({*arguments.names} - {*known}):
        parser.error(f"unknown notebook {unknown[0]}: choose from {', '.join(known)}")
    for name in arguments.names or known:
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            try:
                notebook = cleaned(run(known[name], Path(folder)))
            except CellExecutionError as error:
                sys.exit(f"{name}: a cell failed\n{error}")
        if found := paths_in(notebook):
            sys.exit(f"{name}: its outputs name a path of this machine: {found[0]}")
        write_atomically(arguments.out / f"{name}.ipynb", nbformat.writes(notebook) + "\n")
        print(f"stored  {name}  {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
