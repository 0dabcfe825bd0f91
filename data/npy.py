"""Arrays in the .npy format, written and read a piece at a time; nothing is unpickled."""

from collections.abc import Iterable, Iterator
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray


def write(
    file: IO[bytes],
    shape: tuple[int, ...],
    dtype: np.dtype,
    pieces: Iterable[NDArray[np.generic]],
) -> None:
    """Write an array of this shape and type whose rows come in pieces.

    Raises:
        ValueError: the pieces do not make up the array.
    """
    header = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    npy.write_array_header_1_0(file, header)
    rows = 0
    for piece in pieces:
        if piece.shape[1:] != shape[1:]:
            raise ValueError(f"rows of shape {piece.shape[1:]} where {shape[1:]} was promised")
        file.write(np.ascontiguousarray(piece, dtype).tobytes())
        rows += len(piece)
    if rows != shape[0]:
        raise ValueError(f"{rows} rows where {shape[0]} were promised")


def read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """(shape, whether the columns come first, type) of the array that follows in `file`.

    Raises:
        ValueError: it is no array of a plain type.
    """
    version = npy.read_magic(file)
    readers: dict[tuple[int, int], Any] = {
        (1, 0): npy.read_array_header_1_0,
        (2, 0): npy.read_array_header_2_0,
    }
    if version not in readers:
        raise ValueError(f"npy version {version}")
    return readers[version](file)


def read_rows(
    file: IO[bytes], shape: tuple[int, ...], dtype: np.dtype, size: int
) -> Iterator[NDArray[np.generic]]:
    """The rows that follow a header, `size` at a time. Raises EOFError where some are missing."""
    bytes_a_row = int(np.prod(shape[1:], dtype=np.int64)) * dtype.itemsize
    for start in range(0, shape[0], size):
        rows = min(size, shape[0] - start)
        content = file.read(rows * bytes_a_row)
        if len(content) < rows * bytes_a_row:
            raise EOFError("the array ends early")
        yield np.frombuffer(content, dtype).reshape(rows, *shape[1:])
