"""Run the commands of a documentation page again and update their printed output.

python benchmarks/documented.py PAGE [--only TEXT] [--check]

A page shows a command in an indented line, followed by its output in a fenced block. Each such command that contains
TEXT runs from the root of the tree with COLUMNS 100, and its block is replaced if the output changed; with --check, the
page stays unchanged. Numbers in the surrounding text must be updated by hand.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

from ohmnas.files import write_atomically

ROOT = Path(__file__).parent.parent
DOCUMENTED = re.compile(
    r"^    (?P<command>(?:python|ohmnas) [^\n#]+?)\n\n```\n(?P<said>.*?)\n```$", re.MULTILINE | re.DOTALL
)


def output(command: str) -> str:
    """Return the output of a command, without empty lines around it and without the names of pictures.

    Raises:
        SystemExit: the command failed.
    """
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "COLUMNS": "100"}
    done = subprocess.run(shlex.split(command), cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command} failed with {done.returncode}:\n{done.stderr[-2000:]}")
    lines = [line.rstrip() for line in done.stdout.splitlines() if not line.startswith("picture: ")]
    return "\n".join(lines).strip("\n")


def main() -> None:
    """Print for each command whether its output matches the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path)
    parser.add_argument("--only", default="", metavar="TEXT", help="only commands that contain TEXT")
    parser.add_argument("--check", action="store_true", help="write nothing")
    arguments = parser.parse_args()
    if not arguments.page.is_file():
        parser.error(f"the page {arguments.page} does not exist")
    commands = [found["command"] for found in DOCUMENTED.finditer(arguments.page.read_text(encoding="utf-8"))]
    chosen = [command for command in commands if arguments.only in command]
    if not chosen:
        sys.exit(f"{arguments.page} has no such command followed by its output: nothing to run")
    for command in chosen:
        said = output(command)
        text = arguments.page.read_text(encoding="utf-8")  # read again: it may have changed meanwhile
        (found,) = (found for found in DOCUMENTED.finditer(text) if found["command"] == command)
        same = said == found["said"]
        if not (same or arguments.check):
            write_atomically(arguments.page, text[: found.start("said")] + said + text[found.end("said") :])
        print(f"{'same   ' if same else 'changed'}  {command}", flush=True)


if __name__ == "__main__":
    main()
