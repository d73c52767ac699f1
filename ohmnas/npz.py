"""NumPy archives: plain arrays, read safely from files of unknown origin, and written reproducibly.

The reader checks sizes before it allocates memory, and never unpickles objects.
"""

from __future__ import annotations

import io
import math
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from ohmnas.errors import BrokenFileError, in_short
from ohmnas.files import opened, write_bytes_atomically

LARGEST = 16 << 30
"""Largest size of an archive in bytes."""
LARGEST_CONTENT = 16 << 30
"""Largest total size of the arrays to read, in bytes."""
LARGEST_RATIO = 400
"""Largest compression ratio of an array of more than `UNCHECKED_BYTES`. Images with few grey levels reach 50, or
several hundred as float64; deflate can reach 1,032."""
UNCHECKED_BYTES = 128 << 20
"""Largest size in bytes of an array that may have any compression ratio."""
LONGEST_HEADER = 4096
"""Largest size of a header in bytes; NumPy's own headers usually have 128."""
BLOCK = 1 << 20
NPY, ZIP = b"\x93NUMPY", b"PK"
_ENCRYPTED = 1
_WRITTEN = (1980, 1, 1, 0, 0, 0)
"""Time stamp of every member, so equal arrays give equal bytes: the earliest that a zip archive can store."""
_UNIX, _READABLE = 3, 0o644 << 16
"""System and permissions of every member, the same on all machines."""

Array = npt.NDArray[np.generic]
Form = tuple[np.dtype[np.generic], bool, tuple[int, ...]]
"""Type, Fortran order, and shape."""

_PAIR = rb"""\s*(?:'(\w+)'|"(\w+)")\s*:\s*(True|False|'[^'"]*'|"[^'"]*"|\([\d\s,L]*\))\s*"""
_HEADER = re.compile(rb"\s*\{" + _PAIR + rb"," + _PAIR + rb"," + _PAIR + rb",?\s*\}\s*")
_TYPE = re.compile(r"[<>|=]?([?]|b1|[ui][1248]|f[248])")
_NO_ARRAY = "only plain arrays of numbers can be read"


def write_arrays(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write arrays like `numpy.savez_compressed`, atomically; equal arrays give equal bytes.

    Args:
        path: the archive; `numpy.load` and `read_arrays` can read it.
        arrays: name -> plain array of numbers. They are stored in this order.

    Raises:
        StorageError: the write failed; an existing file is unchanged.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", _WRITTEN)
            member.compress_type, member.create_system, member.external_attr = zipfile.ZIP_DEFLATED, _UNIX, _READABLE
            plain = io.BytesIO()
            np.lib.format.write_array(plain, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(member, plain.getvalue())
    write_bytes_atomically(path, content.getvalue())


def read_arrays(path: Path, names: Iterable[str], largest: int | None = None) -> dict[str, Array]:
    """Read arrays from an archive written by `numpy.savez` or `numpy.savez_compressed`.

    NumPy's own reader trusts the sizes in a file and evaluates headers; this one does neither.

    Args:
        path: the archive.
        names: names of the arrays to read.
        largest: limit in bytes, which applies separately to the file and to the total of these arrays. The defaults are
            `LARGEST` for the file and `LARGEST_CONTENT` for the arrays.

    Raises:
        BrokenFileError: the file is not a NumPy archive, is too large, or lacks an array, or an array is too large or
            does not hold plain numbers.
    """
    names = tuple(names)
    needed = in_short(", ".join(names), 120)
    try:
        with opened(path, largest or LARGEST) as file:
            begin = file.read(len(NPY))
            if begin == NPY:
                raise BrokenFileError(
                    f"{path} is a single array (.npy), not an archive (.npz); it needs the arrays {needed}"
                )
            if not begin.startswith(ZIP):
                raise BrokenFileError(f"{path} is not a NumPy archive (.npz): it does not start with a zip header")
            file.seek(0)
            with zipfile.ZipFile(file) as archive:
                return _read(path, archive, names, largest or LARGEST_CONTENT)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, struct.error) as error:
        if isinstance(error, BrokenFileError):
            raise
        raise BrokenFileError(f"{path} is a damaged NumPy archive: {in_short(error, 200)}") from error
    except (RuntimeError, NotImplementedError, LookupError, AttributeError, TypeError, OverflowError) as error:
        raise BrokenFileError(f"{path} is an archive that cannot be read: {in_short(error, 200)}") from error
    except MemoryError as error:
        raise BrokenFileError(f"{path} has arrays that do not fit into memory") from error


def _read(path: Path, archive: zipfile.ZipFile, names: tuple[str, ...], most: int) -> dict[str, Array]:
    there = archive.namelist()
    members = {}
    for name in names:
        found = [one for one in (f"{name}.npy", name) if one in there]
        if not found:
            raise BrokenFileError(f"{path} lacks the array {name!r}; it needs {in_short(', '.join(names), 120)}")
        if there.count(found[0]) > 1:
            raise BrokenFileError(f"{path} has the array {name!r} twice")
        members[name] = archive.getinfo(found[0])
    for name, member in members.items():
        _check_member(path, name, member)
    total = sum(member.file_size for member in members.values())
    if total > most:
        raise BrokenFileError(f"{path} claims {total:,} bytes of arrays; the limit is {most:,} bytes")
    arrays = {}
    for name, member in members.items():
        with archive.open(member) as content:
            arrays[name] = _array(path, name, content, member.file_size)
    return arrays


def _check_member(path: Path, name: str, member: zipfile.ZipInfo) -> None:
    """Check that a member is not encrypted, uses a known compression, and has a plausible size."""
    if member.flag_bits & _ENCRYPTED:
        raise BrokenFileError(f"{path}: {name} is encrypted")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BrokenFileError(f"{path}: {name} is compressed by a method that NumPy does not use")
    most = member.compress_size * (1 if member.compress_type == zipfile.ZIP_STORED else LARGEST_RATIO)
    if member.file_size > max(most, UNCHECKED_BYTES):
        raise BrokenFileError(
            f"{path}: {name} claims {member.file_size:,} bytes, but only {member.compress_size:,} are stored"
        )


def mapped(path: Path) -> Array:
    """Map the array of a ``.npy`` file into memory. Changes to the array are not written to the file.

    Raises:
        BrokenFileError: the file is not a ``.npy`` file of plain numbers, or its size does not match its header.
    """
    with opened(path, LARGEST_CONTENT) as file:
        size = os.fstat(file.fileno()).st_size
        kind, columns_first, shape = _begin(path, path.stem, file, size)
        at = file.tell()
    return np.memmap(path, kind, "c", at, shape, "F" if columns_first else "C")


def _begin(path: Path, name: str, content: IO[bytes], size: int) -> Form:
    """Read the header of an array in ``.npy`` format (versions 1 to 3) from a stream of exactly `size` bytes."""
    begin = content.read(len(NPY) + 2)
    if not begin.startswith(NPY) or len(begin) != len(NPY) + 2 or begin[6] not in (1, 2, 3):
        raise BrokenFileError(f"{path}: {name} does not begin like an array; {_NO_ARRAY}")
    width = 2 if begin[6] == 1 else 4
    length = int.from_bytes(content.read(width), "little")
    if length > LONGEST_HEADER:
        raise BrokenFileError(f"{path}: {name} has a header of {length:,} bytes; {_NO_ARRAY}")
    kind, columns_first, shape = _header(path, name, content.read(length))
    claimed, left = math.prod(shape) * kind.itemsize, size - len(begin) - width - length
    if claimed != left:
        raise BrokenFileError(
            f"{path}: {name} has a shape of {in_short(shape)} and the type {kind}, so it needs {claimed:.6g} bytes, "
            f"but has {left:,} bytes of content"
        )
    return kind, columns_first, shape


def _array(path: Path, name: str, content: IO[bytes], size: int) -> Array:
    """Read an array in ``.npy`` format from a stream of exactly `size` bytes."""
    kind, columns_first, shape = _begin(path, name, content, size)
    count = math.prod(shape)
    total = count * kind.itemsize
    flat = np.empty(count, kind)
    octets = flat.view(np.uint8)
    at = 0
    while at < total:
        block = content.read(min(BLOCK, total - at))
        if not block:
            raise BrokenFileError(f"{path}: {name} is cut short: {at:,} of {total:,} bytes")
        octets[at : at + len(block)] = np.frombuffer(block, np.uint8)
        at += len(block)
    if content.read(1):  # reading to the end also verifies the checksum
        raise BrokenFileError(f"{path}: {name} has more bytes than the archive's directory states")
    array: Array = flat.reshape(shape, order="F" if columns_first else "C")
    return array.astype(kind.newbyteorder("="), copy=False)


def _header(path: Path, name: str, header: bytes) -> Form:
    """Parse a header by pattern matching, without evaluating it."""
    found = _HEADER.fullmatch(header)
    groups = found.groups() if found else ()
    values = {(groups[i] or groups[i + 1]).decode(): groups[i + 2].decode() for i in range(0, len(groups), 3)}
    if set(values) != {"descr", "fortran_order", "shape"}:
        raise BrokenFileError(f"{path}: {name} has a header of an unknown kind; {_NO_ARRAY}")
    described, order, shape = values["descr"][1:-1], values["fortran_order"], values["shape"]
    lengths = [one.strip().rstrip("L") for one in shape.strip("()").split(",") if one.strip()]
    if not _TYPE.fullmatch(described) or order not in ("True", "False") or not shape.startswith("("):
        raise BrokenFileError(f"{path}: {name} has the type {in_short(described)}; {_NO_ARRAY}")
    if len(lengths) > 8 or not all(one.isdecimal() and len(one) <= 18 for one in lengths):
        raise BrokenFileError(f"{path}: {name} has a shape of {in_short(shape)}; {_NO_ARRAY}")
    return np.dtype(described), order == "True", tuple(int(one) for one in lengths)
