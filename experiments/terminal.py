"""How the program speaks to a person, and how it ends."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from rich.console import Console
from rich.markup import escape

# Exit codes, the worst last; FOUND, a run that was complete already, exits with 0.
FOUND, OK, FAILED, BAD, STOPPED = -1, 0, 1, 2, 130
TRACEBACK = "PADZOO_TRACEBACK"  # of the environment: 1 shows where an error came from

console = Console(highlight=False, soft_wrap=True)
errors = Console(highlight=False, soft_wrap=True, stderr=True)


_hushed = False


def say(text: str) -> None:
    if not _hushed:
        console.print(escape(text))


def heard() -> bool:
    """Whether `say` speaks."""
    return not _hushed


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """Nothing is said inside the block; complaints are."""
    global _hushed
    _hushed = True
    try:
        yield
    finally:
        _hushed = False


def busy(text: str) -> AbstractContextManager[Any]:
    """A spinner beside `text` while the block runs, on a terminal."""
    return console.status(escape(text)) if console.is_terminal else contextlib.nullcontext()


def complain(text: str) -> None:
    """One plain line on stderr."""
    errors.print(escape("error: " + " ".join(text.split())))


def unexpected(error: Exception) -> None:
    """One line for an error that nobody foresaw, and how to see where it came from."""
    hint = "" if _traceback_asked() else f" ({TRACEBACK}=1 shows where)"
    complain(f"{type(error).__name__}: {error}{hint}")
    show_traceback(error)


def show_traceback(error: Exception) -> None:
    """Where an error came from, if the environment asks for it."""
    if _traceback_asked():
        errors.print(escape("".join(traceback.format_exception(error))))


def _traceback_asked() -> bool:
    return os.environ.get(TRACEBACK, "0") not in ("", "0")


def call(main: Callable[[list[str]], int]) -> int:
    """Call a command with the program's arguments; returns its exit code, whatever happens."""
    try:
        return main(sys.argv[1:])
    except KeyboardInterrupt:
        complain("interrupted")
        return STOPPED
    except Exception as error:
        unexpected(error)
        return FAILED


def clock(seconds: float) -> str:
    """75 -> 1:15, 3700 -> 1:01:40."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
