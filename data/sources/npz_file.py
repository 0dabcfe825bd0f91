"""Reads the arrays of an npz file, whole or in pieces. Nothing is unpickled."""

import contextlib
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.lib import format as fmt
from numpy.typing import NDArray

from data.config import DataError
from data.transforms import piece

TEXTS = ("class_names", "subset_")  # how the names of arrays of strings begin


class Header(NamedTuple):
    """The header of an array's file."""

    shape: tuple[int, ...]
    by_column: bool
    dtype: np.dtype


@contextlib.contextmanager
def archive(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        file = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise DataError(f"data.path={path} is not a file") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        raise DataError(f"{path} is not an npz file, or it is damaged") from None
    with file:
        yield file


@contextlib.contextmanager
def _member(file: zipfile.ZipFile, path: Path, name: str) -> Iterator[IO[bytes]]:
    """The bytes of one array; errors inside the block become a DataError of one line."""
    try:
        with file.open(f"{name}.npy") as member:
            yield member
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error):
        raise DataError(f"{name} in {path} is damaged") from None


def header(file: zipfile.ZipFile, path: Path, name: str) -> Header:
    with _member(file, path, name) as member:
        found = Header(*_read_header(member))
    if found.dtype.hasobject:
        raise DataError(
            f"{name} in {path} holds Python objects, which are never unpickled; store numbers"
        )
    if name.startswith(TEXTS):
        if found.dtype.kind != "U":
            raise DataError(f"{name} must be a one-dimensional array of strings")
    elif found.dtype.kind not in "uifb":
        raise DataError(f"{name} in {path} is of type {found.dtype}; real numbers are needed")
    return found


def array(file: zipfile.ZipFile, path: Path, name: str) -> NDArray[Any]:
    header(file, path, name)
    with _member(file, path, name) as member:
        return np.lib.format.read_array(member, allow_pickle=False)


def rows(file: zipfile.ZipFile, path: Path, name: str, of: Header) -> Iterator[NDArray[np.generic]]:
    """The rows of an array in pieces, or all at once if the file stores it column by column."""
    if of.by_column:
        yield array(file, path, name)
        return
    with _member(file, path, name) as member:
        _read_header(member)
        yield from _read_rows(member, of.shape, of.dtype, piece(of.shape[1:]))


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """(shape, whether stored column by column, type) of the next array in `file`.

    Raises:
        ValueError: it is not an array of a plain type.
    """
    version = fmt.read_magic(file)
    readers: dict[tuple[int, int], Any] = {
        (1, 0): fmt.read_array_header_1_0,
        (2, 0): fmt.read_array_header_2_0,
    }
    if version not in readers:
        raise ValueError(f"npy version {version}")
    return readers[version](file)


def _read_rows(
    file: IO[bytes], shape: tuple[int, ...], dtype: np.dtype, size: int
) -> Iterator[NDArray[np.generic]]:
    """The rows after a header, `size` at a time. Raises EOFError if some are missing."""
    bytes_a_row = int(np.prod(shape[1:], dtype=np.int64)) * dtype.itemsize
    for start in range(0, shape[0], size):
        rows = min(size, shape[0] - start)
        content = file.read(rows * bytes_a_row)
        if len(content) < rows * bytes_a_row:
            raise EOFError("the array ends early")
        yield np.frombuffer(content, dtype).reshape(rows, *shape[1:])
