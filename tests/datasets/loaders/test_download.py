"""Downloads, from this machine's own files: the address of an archive may be a file's."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from ohmnas.datasets.loaders.download import Archive, DownloadError, download
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


def test_what_has_no_archive_says_where_its_files_are(archive: Archive, tmp_path: Path, data_dir: Path) -> None:
    with pytest.raises(UnknownNameError, match="cocodataset"):
        download("visual-wake-words", data_dir, lambda *_: None)
    with pytest.raises(UnknownNameError, match="no task 'mine'"):
        download("mine", data_dir, lambda *_: None)
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot write to"):
        download("cifar10", tmp_path / "file", lambda *_: None, archive)
