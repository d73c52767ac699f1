from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ohmnas import npz
from ohmnas.errors import BrokenFileError
from ohmnas.npz import read_arrays, write_arrays


def _npy(header: bytes, content: bytes = b"", version: int = 1) -> bytes:
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + content


def _plain(descr: str = "'<f4'", shape: str = "(2, 3)", content: int = 24, order: str = "False") -> bytes:
    return _npy(f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n".encode(), bytes(content))


def _archive(path: Path, member: bytes, name: str = "x.npy") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, member)
    return path


@pytest.mark.parametrize("kind", ["u1", "i2", "u4", "i8", "f2", "<f4", ">f4", ">i8", "f8", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_come_back_as_numpy_reads_them(kind: str, order: str, save: object, tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(2, size=(5, 1, 7)).astype(kind, order="F" if order == "F" else "C")
    save(tmp_path / "a.npz", x=array, empty=array[:0], scalar=array[0, 0, 0])  # type: ignore[operator]
    read = read_arrays(tmp_path / "a.npz", ("x", "empty", "scalar"))
    assert np.array_equal(read["x"], array)
    assert read["x"].dtype == array.dtype.newbyteorder("=")
    assert read["empty"].shape == (0, 1, 7)
    assert read["scalar"].shape == ()


@pytest.mark.parametrize("version", [1, 2, 3])
def test_all_versions_and_spellings_of_the_format_are_read(version: int, tmp_path: Path) -> None:
    for header in (
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }",
        b"{'descr':'<f4','fortran_order':False,'shape':(2,3)}",
        b'{"shape": (2L, 3L), "descr": "<f4", "fortran_order": False}   \n',
    ):
        path = _archive(tmp_path / "a.npz", _npy(header, bytes(24), version))
        assert read_arrays(path, ["x"])["x"].shape == (2, 3)


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (b"junk", "x does not begin like an array"),
        (b"", "x does not begin like an array"),
        (_npy(b"{}", version=9), "x does not begin like an array"),
        (_npy(b"{'descr': '<f4'}"), "x has a header of an unknown kind"),
        (_npy(b"{" * 900), "x has a header of an unknown kind"),
        (_npy(b"(" * 4000), "x has a header of an unknown kind"),
        (_npy(b" " * 60_000), "x has a header of 60,000 bytes"),
        (_npy(b"", b"", 2)[:8] + b"\xff\xff\xff\xff", "x has a header of 4,294,967,295 bytes"),
        (_plain("'|O'"), r"x has the type \|O"),
        (_plain("'<U9'"), "x has the type <U9"),
        (_plain("'<f16'"), "x has the type <f16"),
        (_plain("'<f1'"), "x has the type <f1"),
        (_plain("[('a', '<f4')]"), "x has a header of an unknown kind"),
        (_plain(order="'x'"), "only plain arrays of numbers can be read"),
        (_plain(shape="(-2, 3)"), "x has a header of an unknown kind"),
        (_plain(shape="(2 3)"), "x has a shape of"),
        (_plain(shape="(1000000000, 64)"), r"and the type float32, so it needs 2\.56e\+11 bytes, but has 24"),
        (_plain(shape=f"({'9' * 18}, {'9' * 18}, {'9' * 18})"), "bytes, but has 24 bytes of content"),
        (_plain(shape=f"({'9' * 3000},)"), "x has a shape of .{,80}only plain"),
        (_plain(shape="(" + "1, " * 40 + ")"), "x has a shape of"),
        (_plain(content=20), "24 bytes, but has 20 bytes of content"),
        (_plain(content=28), "24 bytes, but has 28 bytes of content"),
    ],
)
def test_arrays_that_are_not_plain_are_refused_in_one_sentence(member: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(BrokenFileError, match=message) as error:
        read_arrays(_archive(tmp_path / "a.npz", member), ["x"])
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300 + len(str(tmp_path))


def test_a_size_that_is_only_claimed_takes_no_memory(tmp_path: Path) -> None:
    path = _archive(tmp_path / "a.npz", _plain(shape="(500000000, 2)"))
    raw = path.read_bytes()
    size = struct.pack("<I", len(_plain(shape="(500000000, 2)")))
    path.write_bytes(raw.replace(size, struct.pack("<I", 4_000_000_000 + len(_plain()) - 24)))
    tracemalloc.start()
    with pytest.raises(BrokenFileError, match="x claims 4,000,000,"):
        read_arrays(path, ["x"])
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npz, "UNCHECKED_BYTES", 1 << 20)
    path = _archive(tmp_path / "a.npz", _plain(shape="(1000000,)", content=4_000_000))
    with pytest.raises(BrokenFileError, match=r"x claims 4,000,\d\d\d bytes, but only [34],\d\d\d are stored"):
        read_arrays(path, ["x"])
    monkeypatch.setattr(npz, "UNCHECKED_BYTES", 1 << 30)
    monkeypatch.setattr(npz, "LARGEST_CONTENT", 1 << 20)
    with pytest.raises(BrokenFileError, match=r"claims 4,000,\d\d\d bytes of arrays"):
        read_arrays(path, ["x"])


def test_encrypted_repeated_and_oddly_packed_members_are_refused(tmp_path: Path) -> None:
    path = _archive(tmp_path / "a.npz", _plain())
    raw = bytearray(path.read_bytes())
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    with pytest.raises(BrokenFileError, match="x is encrypted"):
        read_arrays(path, ["x"])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("x.npy", _plain())
    with pytest.raises(BrokenFileError, match="compressed by a method that NumPy does not use"):
        read_arrays(path, ["x"])
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", _plain())
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("x.npy", _plain())
    with pytest.raises(BrokenFileError, match="has the array 'x' twice"):
        read_arrays(path, ["x"])


def test_changed_content_is_found_by_its_checksum(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", _plain())
    raw = bytearray((tmp_path / "a.npz").read_bytes())
    raw[raw.index(b"PK\x01\x02") - 1] ^= 1
    (tmp_path / "a.npz").write_bytes(raw)
    with pytest.raises(BrokenFileError, match="damaged NumPy archive"):
        read_arrays(tmp_path / "a.npz", ["x"])


def test_single_arrays_and_other_files_are_named(tmp_path: Path) -> None:
    content = io.BytesIO()
    np.save(content, np.zeros(3))
    for raw, message in (
        (content.getvalue(), r"is a single array \(.npy\), not an archive"),
        (b"", "is not a NumPy archive"),
        (b"PK\x03\x04", "damaged NumPy archive"),
        (_archive(tmp_path / "b.npz", _plain()).read_bytes(), "lacks the array 'y'; it needs x, y"),
    ):
        (tmp_path / "a.npz").write_bytes(raw)
        with pytest.raises(BrokenFileError, match=message):
            read_arrays(tmp_path / "a.npz", ("x", "y"))


def test_written_arrays_come_back_and_the_same_arrays_are_the_same_bytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays: dict[str, npz.Array] = {
        "x": rng.normal(size=(5, 7)).astype(np.float32),
        "n": np.arange(3, dtype=np.int16)[::-1],
    }
    write_arrays(tmp_path / "a.npz", arrays)
    write_arrays(tmp_path / "b.npz", {name: array.copy() for name, array in arrays.items()})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    read = read_arrays(tmp_path / "a.npz", arrays)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as loaded:
        for name, array in arrays.items():
            assert np.array_equal(read[name], array)
            assert np.array_equal(loaded[name], array)
            assert read[name].dtype == array.dtype


def test_archives_beyond_a_smaller_limit_are_refused(tmp_path: Path) -> None:
    write_arrays(tmp_path / "a.npz", {"x": np.zeros(1000)})
    assert read_arrays(tmp_path / "a.npz", ["x"], largest=9000)["x"].shape == (1000,)
    with pytest.raises(BrokenFileError, match="claims 8,128 bytes of arrays; the limit is 8,000 bytes"):
        read_arrays(tmp_path / "a.npz", ["x"], largest=8000)
    with pytest.raises(BrokenFileError, match="the limit is 100 bytes"):
        read_arrays(tmp_path / "a.npz", ["x"], largest=100)
