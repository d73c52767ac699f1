"""Downloads, from this machine's own files: the address of an archive may be a file's."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import io
import ssl
import tarfile
import urllib.error
import urllib.request
from email.message import Message
from pathlib import Path

import pytest

from ohmnas.datasets.tasks.loaders.archives import Archive
from ohmnas.datasets.tasks.loaders.download import DownloadError, download
from ohmnas.errors import BrokenFileError, StorageError, UnknownNameError


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return _archive(tmp_path / "served.tar.gz", "images/a.bin")


def _archive(path: Path, member: str) -> Archive:
    with tarfile.open(path, "w:gz") as file:
        info = tarfile.TarInfo(member)
        info.size = 3
        file.addfile(info, io.BytesIO(b"abc"))
    return Archive(path.as_uri(), f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}", "images")


def test_an_archive_is_fetched_checked_and_unpacked(archive: Archive, data_dir: Path) -> None:
    seen: list[tuple[int, int]] = []
    folder = download("cifar10", data_dir, lambda came, total: seen.append((came, total)), archive)
    assert (folder / "a.bin").read_bytes() == b"abc"
    assert seen[-1][0] == seen[-1][1] > 0
    assert list(data_dir.iterdir()) == [folder]
    assert download("cifar10", data_dir, lambda *_: pytest.fail("fetched again"), archive) == folder


def test_another_archive_than_the_official_one_is_not_unpacked(archive: Archive, data_dir: Path) -> None:
    wrong = Archive(archive.url, "sha256:" + 64 * "0", "images")
    with pytest.raises(BrokenFileError, match="not the official archive"):
        download("cifar10", data_dir, lambda *_: None, wrong)
    assert not list(data_dir.iterdir())


def test_members_do_not_leave_the_folder(tmp_path: Path, data_dir: Path) -> None:
    with pytest.raises(BrokenFileError, match="cannot be unpacked"):
        download("cifar10", data_dir, lambda *_: None, _archive(tmp_path / "evil.tar.gz", "../../evil"))
    assert not (tmp_path / "evil").exists()
    assert not list(data_dir.iterdir())


def test_a_server_that_does_not_answer_is_named(tmp_path: Path, data_dir: Path) -> None:
    nowhere = Archive((tmp_path / "none.tar.gz").as_uri(), "md5:0", "images")
    with pytest.raises(DownloadError, match=r"cannot download file://.*none\.tar\.gz"):
        download("cifar10", data_dir, lambda *_: None, nowhere)


class Reply(io.BytesIO):
    """What a server sends, until it fails."""

    def __init__(self, content: bytes, length: str | None, error: Exception | None = None) -> None:
        super().__init__(content)
        self.headers = {} if length is None else {"Content-Length": length}
        self._error = error

    def read(self, size: int | None = -1) -> bytes:
        piece = super().read(size)
        if not piece and self._error is not None:
            raise self._error
        return piece


@pytest.mark.parametrize(
    "error",
    [
        http.client.IncompleteRead(b"abc", 7),
        http.client.BadStatusLine("\x1b[31mNO\r\n"),
        http.client.InvalidURL("a b"),
        http.client.RemoteDisconnected("gone"),
        ssl.SSLError("bad record mac"),
        urllib.error.HTTPError("url", 503, "Busy\nagain", Message(), None),
        OSError("link down"),
        TimeoutError(),
        ValueError("no address"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("late", [True, False])
def test_every_broken_reply_is_one_sentence_that_names_the_address(
    error: Exception, late: bool, archive: Archive, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(*_: object, **__: object) -> Reply:
        if not late:
            raise error
        return Reply(b"abc", "10", error)

    monkeypatch.setattr(urllib.request, "urlopen", answer)
    with pytest.raises(DownloadError, match=r"^cannot download file:.*: .") as said:
        download("cifar10", data_dir, lambda *_: None, archive)
    assert str(said.value).isprintable()
    assert not list(data_dir.iterdir())


@pytest.mark.parametrize("length", [None, "many", "-1", "9" * 5000])
def test_an_invalid_length_counts_as_unknown(
    length: str | None, archive: Archive, tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    content = (tmp_path / "served.tar.gz").read_bytes()
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: Reply(content, length))
    download("cifar10", data_dir, lambda _, total: seen.append(total), archive)
    assert set(seen) == {0}


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", gzip.compress(b"no tar"), b"\x1f\x8b\x08" + bytes(7) + b"\xff" * 40],
    ids=["nothing", "a page", "no tar", "no gzip"],
)
def test_invalid_archives_are_one_sentence(content: bytes, tmp_path: Path, data_dir: Path) -> None:
    path = tmp_path / "served.tar.gz"
    path.write_bytes(content)
    served = Archive(path.as_uri(), f"sha256:{hashlib.sha256(content).hexdigest()}", "images")
    with pytest.raises(BrokenFileError, match="cannot be unpacked"):
        download("cifar10", data_dir, lambda *_: None, served)
    assert not list(data_dir.iterdir())


def test_an_archive_without_its_folder_is_one_sentence(tmp_path: Path, data_dir: Path) -> None:
    with pytest.raises(BrokenFileError, match="it has no folder images"):
        download("cifar10", data_dir, lambda *_: None, _archive(tmp_path / "other.tar.gz", "others/a.bin"))
    assert not list(data_dir.iterdir())


def test_a_task_without_an_archive_names_the_source_of_its_files(
    archive: Archive, tmp_path: Path, data_dir: Path
) -> None:
    with pytest.raises(UnknownNameError, match="cocodataset"):
        download("visual-wake-words", data_dir, lambda *_: None)
    with pytest.raises(UnknownNameError, match="no files to download for the task 'mine'"):
        download("mine", data_dir, lambda *_: None)
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot write to"):
        download("cifar10", tmp_path / "file", lambda *_: None, archive)
