"""Calls that take turns: each has a thread of its own, and only one of the threads runs at a time.

A training is a long call that cannot be left in the middle. In a thread it can wait: it asks for
something that is done for several calls together, and goes on when it has been done. Because the
turns change only there, their order is always the same, and no call sees another in the middle of
something.

Example:
    class Sum(Ask):
        def __init__(self, value):
            self.value = value

        def serve(self, asks, say):
            for one in asks:
                one.total = sum(each.value for each in asks)

    def call(value):
        ask(mine := Sum(value))
        return mine.total

    together([partial(call, 1), partial(call, 2)], print)  # [3, 3]
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from experiments.run import framework

Result = TypeVar("Result")
_current = threading.local()  # .turns: those of the call that this thread runs


class Ask:
    """What a call waits for."""

    def serve(self, asks: Sequence[Any], say: Callable[[str], None]) -> None:
        """Do it for all calls that wait, this one among them, and note in each ask what came of it.

        Args:
            asks: of the calls, in their order.
            say: prints a line.
        """
        raise NotImplementedError


def taken() -> bool:
    """Whether this thread runs a call that takes turns."""
    return getattr(_current, "turns", None) is not None


def ask(what: Ask) -> None:
    """Wait until `what` has been served; meanwhile the other calls have their turns.

    Raises:
        KeyboardInterrupt: the calls are to end.
    """
    _current.turns.wait_for(what)


def together(calls: Sequence[Callable[[], Result]], say: Callable[[str], None]) -> list[Result]:
    """Run the calls in turns; returns their results when all have ended.

    Asks are served when every call that has not ended has asked. The main thread only waits, so an
    interrupt, which arrives there, reaches no call in the middle of a turn: each ends where it asks
    next, or where it looks at `framework.INTERRUPTED` itself. A second interrupt waits for none.

    Args:
        say: prints a line, for `Ask.serve`.

    Raises:
        KeyboardInterrupt: after an interrupt, of which `framework.INTERRUPTED` tells too, or if a
            call raised it; the others have ended.
        Exception: the first that a call raised, after the end of all.
    """
    turns = [_Turns(call) for call in calls]
    begin, ended = threading.Event(), threading.Event()
    failures: list[BaseException] = []

    def rounds() -> None:
        try:
            begin.wait()
            _rounds(turns, say)
        except BaseException as failure:
            failures.append(failure)
        finally:
            ended.set()

    threading.Thread(target=rounds, daemon=True).start()
    interrupts = 0
    while True:
        try:
            begin.set()  # here, where an interrupt is caught, and not before
            ended.wait()
            break
        except KeyboardInterrupt:
            framework.INTERRUPTED.set()
            interrupts += 1
            if interrupts > 1:
                raise
    failures += [one.error for one in turns if one.error is not None]
    if framework.INTERRUPTED.is_set() or any(isinstance(f, KeyboardInterrupt) for f in failures):
        raise KeyboardInterrupt
    for failure in failures:
        raise failure
    return [one.result for one in turns]


def _rounds(turns: Sequence[_Turns], say: Callable[[str], None]) -> None:
    """A turn for each call until all have ended."""
    waiting = list(turns)
    while waiting:
        for one in waiting:
            one.go_on(stop=_stopped(turns))
        waiting = [one for one in turns if one.asked is not None]
        if waiting and not _stopped(turns):
            asks = [one.asked for one in waiting]
            try:
                asks[0].serve(asks, say)
            except KeyboardInterrupt:
                framework.INTERRUPTED.set()


def _stopped(turns: Sequence[_Turns]) -> bool:
    """Whether the calls are to end."""
    ended_so = any(isinstance(one.error, KeyboardInterrupt) for one in turns)
    return framework.INTERRUPTED.is_set() or ended_so


class _Turns:
    """The turns of one call: what it waits for, and how it ended."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self.asked: Any = None
        self.result: Any = None
        self.error: BaseException | None = None
        self._call, self._stop = call, False
        self._mine, self._over = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def go_on(self, *, stop: bool) -> None:
        """A turn: returns when the call has asked or ended. If it is to stop, it is interrupted
        where it asked, or not begun.
        """
        self.asked, self._stop = None, stop
        if self._thread is None:
            if stop:
                return
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        else:
            self._mine.set()
        self._over.wait()
        self._over.clear()

    def wait_for(self, what: Ask) -> None:
        """Called in the call's own thread."""
        self.asked = what
        self._over.set()
        self._mine.wait()
        self._mine.clear()
        if self._stop:
            raise KeyboardInterrupt

    def _run(self) -> None:
        _current.turns = self
        try:
            self.result = self._call()
        except BaseException as error:
            self.error = error
        finally:
            with contextlib.suppress(AttributeError):
                del _current.turns
            self._over.set()
