"""Reading and writing files: written completely or not at all, and never pickled."""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import json
import math
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conf.reader import ConfigError

if TYPE_CHECKING:
    import numpy as np

_SPOKEN = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}

IMAGES = "images.png"  # in the directory of a run whose network gives images


class DamagedError(ConfigError):
    """A stored file is damaged; the message names it.

    Attributes:
        why: the reason, without the file's name.
    """

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} cannot be read: {why}")
        self.why = why


@contextlib.contextmanager
def content_of(path: Path) -> Iterator[None]:
    """Inside the block, errors caused by the file's content become a `DamagedError`."""
    try:
        yield
    except DamagedError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        told = str(error) if isinstance(error, ConfigError) else f"{type(error).__name__}: {error}"
        raise DamagedError(path, told) from error


def check_writable(folder: Path) -> None:
    """Raise OSError unless the folder, or the parent in which to create it, is writable."""
    for place in (folder, *folder.parents):
        try:
            os.lstat(place)
        except (FileNotFoundError, NotADirectoryError):
            continue
        if not place.is_dir():  # a file, or a broken link
            raise _refusal(errno.ENOTDIR, place)
        if not os.access(place, os.W_OK | os.X_OK, effective_ids=True):
            raise _refusal(errno.EACCES, place)
        return


def _refusal(number: int, path: Path) -> OSError:
    return OSError(number, os.strerror(number), str(path))


def write(path: Path, content: bytes) -> None:
    """Replace `path` by `content` atomically: a reader or a kill sees the old file or the new.

    Raises:
        OSError: the system refuses; the error names `path`.
    """
    try:
        _write(path, content)
    except OSError as error:
        if not error.errno:
            raise
        raise _refusal(error.errno, path) from error


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    write(path, (text + "\n").encode())


def read_json(path: Path, kind: type = dict) -> Any:
    """The file's content, which must be of this kind; None if there is no file.

    Raises:
        DamagedError: for any other content.
    """
    try:
        text = path.read_text("utf-8")
        content = json.loads(text)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:  # a link to itself, a folder, no permission
        raise DamagedError(path, error.strerror or type(error).__name__) from None
    except UnicodeDecodeError:
        raise DamagedError(path, "it is not text") from None
    except (ValueError, RecursionError) as error:
        why = f"it is not JSON ({error})" if text.strip() else "it is empty"
        raise DamagedError(path, why) from None
    if not isinstance(content, kind):
        found = _SPOKEN.get(type(content), "null" if content is None else "a number")
        raise DamagedError(path, f"it holds {found} instead of {_SPOKEN[kind]}")
    return content


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file that `write_npz` wrote.

    Raises:
        DamagedError: the file is incomplete.
        FileNotFoundError: the file does not exist.
    """
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except FileNotFoundError:
        raise
    except Exception as error:  # readers of a damaged archive raise many kinds of errors
        told = " ".join(str(error).split()) or type(error).__name__
        why = f"it is not a complete npz file ({told})" if path.stat().st_size else "it is empty"
        raise DamagedError(path, why) from error


def write_npz(path: Path, arrays: Mapping[str, np.ndarray], *, compressed: bool = False) -> None:
    import numpy as np

    buffer = io.BytesIO()
    save: Any = np.savez_compressed if compressed else np.savez
    save(buffer, allow_pickle=False, **arrays)
    write(path, buffer.getvalue())


def is_number(value: Any) -> bool:
    """Whether a value from a JSON file is a finite number."""
    return type(value) in (int, float) and math.isfinite(value)


def png(picture: np.ndarray) -> bytes:
    """A picture, uint8 (height, width, 3), as the bytes of a PNG file."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "png")
    return buffer.getvalue()


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write one line per row; the columns are the first row's keys."""
    text = io.StringIO()
    table = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write(path, text.getvalue().encode())


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a file that `write_csv` wrote, values as text."""
    with open(path, newline="") as file:
        return list(csv.DictReader(file))
