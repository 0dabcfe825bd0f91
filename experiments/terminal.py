"""Terminal output, error messages and exit codes."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any

from rich.console import Console
from rich.markup import escape

import data
import models
from conf import packages
from conf.reader import ConfigError
from data.config import LAYOUT_HINTS
from models.messages import LAYOUTS
from models.padding import PaddingError

# Exit codes, the worst last; FOUND (the run was already complete) exits with 0.
FOUND, OK, FAILED, BAD, STOPPED = -1, 0, 1, 2, 130
BAD_INPUT = (ConfigError, data.DataError, models.ModelError, PaddingError)
TRACEBACK = "PADZOO_TRACEBACK"  # environment variable; 1 shows tracebacks

# Which override sets an argument of the library, and what else its messages say of arguments.
OVERRIDES = {"name": "model", "padding": "padding", "pools": "padding.pools", "head": "model.head"}
ARGUMENT = re.compile(rf"({'|'.join(OVERRIDES)})='(\w+)'(,(?= \w+='))?")
OPTION = re.compile(r"\b(fewer|smaller) `(\w+)`")
SIZE = re.compile(r"(?:smallest square input|next \w+ square input that works) is (\d+)x\1")
NEXT = re.compile(r"(: data.resize=\d+), the next larger (\d+)x\2")

COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # of a terminal; Keras puts it into its errors

console = Console(highlight=False, soft_wrap=True)
errors = Console(highlight=False, soft_wrap=True, stderr=True)


_hushed: ContextVar[bool] = ContextVar("hushed", default=False)  # of each thread
_alive = False


def say(text: str) -> None:
    if not _hushed.get():
        console.print(escape(text))


def heard() -> bool:
    """Whether `say` prints."""
    return not _hushed.get()


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """Inside the block, `say` prints nothing; `complain` still does."""
    before = _hushed.set(True)
    try:
        yield
    finally:
        _hushed.reset(before)


@contextlib.contextmanager
def live(display: AbstractContextManager[Any]) -> Iterator[None]:
    """Inside the block the display moves on the terminal, unless another does so already.

    A terminal has room for one, and of seeds that are trained at once each has its own.
    """
    global _alive
    if _alive:
        yield
        return
    _alive = True
    try:
        with display:
            yield
    finally:
        _alive = False


def in_overrides(text: str) -> str:
    """What the library says of its arguments, said of the overrides that set them.

    Example: "pad it causally too (padding='causal', pools='follow')" becomes "pad it causally too
    (padding=causal padding.pools=follow)".
    """
    for likely, hint in LAYOUTS.items():  # at the start of a sentence or within one
        text = text.replace(hint[1:], LAYOUT_HINTS[likely][1:])
    text = ARGUMENT.sub(lambda found: f"{OVERRIDES[found[1]]}={found[2]}", text)
    text = OPTION.sub(r"\1 model.\2", text).replace(" or None.", " or null.")
    return NEXT.sub(
        r"\1, the next larger: data.resize=\2", SIZE.sub(r"\g<0>: data.resize=\1", text)
    )


def plain(error: Exception) -> str:
    """The line of a mistake; what the library says of its arguments is said of overrides."""
    return in_overrides(str(error)) if isinstance(error, models.ModelError) else str(error)


def busy(text: str) -> AbstractContextManager[Any]:
    """A spinner beside `text` while the block runs, on a terminal."""
    if not console.is_terminal:
        return contextlib.nullcontext()
    return live(console.status(escape(text)))


def complain(text: str) -> None:
    """One plain line on stderr."""
    errors.print(escape("error: " + " ".join(COLOUR.sub("", text).split())))


def failure(error: Exception, which: str = "") -> int:
    """Print an error in one line; returns the exit code.

    BAD for an error that the caller can correct: wrong input, a missing package, or something
    that the system refuses. FAILED for an unforeseen error; the line says how to see its traceback.

    Args:
        which: names one of many runs, at the start of the line.
    """
    code, told = BAD, packages.line(error)
    if isinstance(error, BAD_INPUT):
        told = plain(error)
    elif told is None and isinstance(error, OSError) and error.strerror:
        told = system_error(error)
    elif told is None:
        hint = "" if _traceback_asked() else f" ({TRACEBACK}=1 shows where)"
        code, told = FAILED, f"{type(error).__name__}: {error}{hint}"
    complain(which + told)
    if not isinstance(error, BAD_INPUT):
        show_traceback(error)
    return code


def system_error(error: OSError) -> str:
    """A message for an error of the operating system: the file and the reason."""
    where = error.filename2 or error.filename
    return f"{where} cannot be read or written: {error.strerror}" if where else str(error.strerror)


def show_traceback(error: Exception) -> None:
    """Print the traceback of an error if the environment asks for it."""
    if _traceback_asked():
        errors.print(escape("".join(traceback.format_exception(error))))


def _traceback_asked() -> bool:
    return os.environ.get(TRACEBACK, "0") not in ("", "0")


def call(main: Callable[[list[str]], int]) -> int:
    """Call a command with the program's arguments; always returns an exit code."""
    try:
        return main(sys.argv[1:])
    except KeyboardInterrupt:
        complain("interrupted")
        return STOPPED
    except Exception as error:
        return failure(error)


def counted(count: int, noun: str) -> str:
    """1, "run" -> 1 run; 2, "run" -> 2 runs."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def clock(seconds: float) -> str:
    """75 -> 1:15, 3700 -> 1:01:40."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
