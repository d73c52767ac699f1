from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ohmnas.errors import StorageError
from ohmnas.files import write_atomically


def test_the_text_is_there_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_atomically(path, "one\n")
    write_atomically(path, "two\n")
    assert path.read_bytes() == b"two\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file or directory"):
        write_atomically(tmp_path / "no" / "a.txt", "text")


def test_a_refused_write_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_atomically(path, "precious\n")
    script = (
        "import resource, sys; from pathlib import Path; from ohmnas.files import write_atomically\n"
        "from ohmnas.errors import StorageError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n    write_atomically(Path(sys.argv[1]), 'x' * 10_000)\n"
        "except StorageError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    assert "File too large" in done.stdout
    assert path.read_text(encoding="utf-8") == "precious\n"
    assert list(tmp_path.iterdir()) == [path]
