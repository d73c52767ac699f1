"""The files that commands leave behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ohmnas.cli import render
from ohmnas.files import write_atomically


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write one JSON object in one piece; where a file stood there before, say on standard error that it is gone.

    Raises:
        StorageError: the disk is full or refuses; what stood at `path` before still stands there.
    """
    replaces = path.exists()
    write_atomically(path, json.dumps(values, indent=1) + "\n")
    if replaces:
        render.notice(f"note: {path} replaced the result of an earlier run")
