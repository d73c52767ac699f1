from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ohmnas.errors import BrokenFileError, StorageError
from ohmnas.files import opened, read_bytes, read_json, read_text, regular, write_atomically


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


def test_a_file_within_its_limit_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfgr\xc3\xbcn")
    assert regular(path, 9).st_size == 8
    assert read_bytes(path, 8) == path.read_bytes()
    assert read_text(path, 8) == "grün"
    with opened(path, 8) as file:
        assert file.read(3) == b"\xef\xbb\xbf"


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b"9" * 5000, b"\xff", b'{"a": nan}'])
def test_invalid_json_is_one_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"a": [1, "\u00fc"]}', encoding="utf-8")
    assert read_json(path, 100) == {"a": [1, "ü"]}
    path.write_bytes(content)
    with pytest.raises(BrokenFileError, match=r"a\.json is not ") as caught:
        read_json(path, 1 << 20)
    assert len(str(caught.value)) < 200 + len(str(path))
    assert "\n" not in str(caught.value)


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


def _giant(path: Path) -> None:
    path.touch()
    os.truncate(path, 10**13)  # without a byte on the disk


@pytest.mark.parametrize("read", [regular, read_bytes, read_text])
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.mkdir(), "is a folder, not a file"),
        (_pipe, "is a named pipe, not a file"),
        (_socket, "is a socket, not a file"),
        (lambda path: path.symlink_to("/dev/zero"), "is a device, not a file"),
        (lambda path: path.symlink_to("nowhere"), "it is a link to a missing file"),
        (lambda path: path.symlink_to(path), "cannot read .*: Too many levels of symbolic links"),
        (Path.exists, "there is no file with this name"),
        (_giant, "has 10,000,000,000,000 bytes; the limit is 1,000 bytes"),
    ],
)
def test_only_regular_files_within_their_limit_are_read(
    read: Callable[[Path, int], object], make: Callable[[Path], object], message: str, tmp_path: Path
) -> None:
    make(tmp_path / "a")
    with pytest.raises(BrokenFileError, match=message):
        read(tmp_path / "a", 1000)


def test_names_that_no_file_can_have_are_an_error_for_people(tmp_path: Path) -> None:
    for name in ("a" * 300, "a\0b"):
        with pytest.raises(BrokenFileError, match="cannot read"):
            read_bytes(tmp_path / name, 9)


def test_a_file_larger_than_its_stated_size_is_refused() -> None:
    with pytest.raises(BrokenFileError, match="its size is not the 0 bytes"):
        read_bytes(Path("/proc/self/status"), 9)


def test_other_texts_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"ab\xff")
    with pytest.raises(BrokenFileError, match=r"a\.txt is not UTF-8: byte 3 is invalid"):
        read_text(tmp_path / "a.txt", 9)


def test_files_get_the_permissions_that_the_user_chose(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_atomically(tmp_path / "private", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["private"]
