"""Processes with a time limit, so that one that hangs or crashes does not stop the others."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conf.commandline import ROOT

CHECKOUT = ROOT.parent
PATIENCE = 10.0  # seconds between asking a process to end and ending it
GLANCE = 0.2  # seconds between looks at whether to stop
TOLD = 300  # characters of a process's last line


@dataclass(frozen=True)
class Ended:
    """How a process ended. code: its exit code; None if it was stopped at its limit."""

    code: int | None
    seconds: float
    log: Path

    @property
    def last_words(self) -> str:
        """The last line that it wrote."""
        lines = self.log.read_text(errors="replace").split("\n") if self.log.exists() else []
        said = [line.strip() for line in lines if line.strip()]
        return said[-1][-TOLD:] if said else "it wrote nothing"

    def why(self) -> str:
        """What went wrong, in one line."""
        if self.code is None:
            return f"stopped after {self.seconds:.0f} s, its time limit: {self.last_words}"
        if self.code < 0:
            with contextlib.suppress(ValueError):
                return f"ended by {signal.Signals(-self.code).name}: {self.last_words}"
        return f"exit code {self.code}: {self.last_words}"


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of the project in this Python."""
    return [sys.executable, "-m", module, *arguments]


def run(
    command: Sequence[str],
    *,
    seconds: float,
    log: Path,
    environment: Mapping[str, str] | None = None,
    group: bool = False,
    ask: signal.Signals = signal.SIGTERM,
    patience: float = PATIENCE,
    stop: threading.Event | None = None,
) -> Ended:
    """Run a command in the checkout until it ends, reaches its time limit or is to stop.

    Args:
        command: with its arguments.
        seconds: time limit; then it is asked to end, and killed `patience` seconds later.
        log: file for its output on both streams.
        environment: variables in addition to those of this process.
        group: whether the command gets its own process group, which is ended at the limit.
        ask: the signal that asks it to end.
        stop: ends it as its time limit does; for a thread, which no interrupt reaches.
    """
    begun = time.monotonic()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        process = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=group,
        )
        code: int | None = None
        try:
            code = _wait(process, seconds, stop)
        except subprocess.TimeoutExpired:
            _signal(process, ask, group)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(patience)
        finally:  # also at an interrupt; processes that a section leaves behind end with it
            if group or process.poll() is None:
                _signal(process, signal.SIGKILL, group)
            process.wait()
    return Ended(code, time.monotonic() - begun, log)


def _wait(process: subprocess.Popen[bytes], seconds: float, stop: threading.Event | None) -> int:
    """Its exit code; TimeoutExpired at its limit, and once `stop` is set."""
    end = time.monotonic() + max(0.0, seconds)
    while stop is not None and not stop.is_set() and (left := end - time.monotonic()) > GLANCE:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(min(GLANCE, left))
    stopped = stop is not None and stop.is_set()
    return process.wait(0 if stopped else max(0.0, end - time.monotonic()))


def ask(module: str, request: Mapping[str, Any], *, seconds: float, log: Path) -> dict[str, Any]:
    """Call `python -m module <request as JSON>`, which answers with a JSON object.

    Raises:
        RuntimeError: there is no answer; the message says why.
    """
    ended = run(python(module, json.dumps(request)), seconds=seconds, log=log)
    if ended.code != 0:
        raise RuntimeError(ended.why())
    return answer(log)


def answer(log: Path) -> dict[str, Any]:
    """The last JSON object that begins a line of a log, in which libraries may also write.

    Raises:
        RuntimeError: there is none.
    """
    text = "\n" + log.read_text(errors="replace")
    found = None
    place = text.find("\n{")
    while place >= 0:
        with contextlib.suppress(ValueError):
            found, length = json.JSONDecoder().raw_decode(text[place + 1 :])
            place += length
        place = text.find("\n{", place + 1)
    if found is None:
        raise RuntimeError(f"no answer: {text.strip()[-TOLD:]}")
    return found


def _signal(process: subprocess.Popen[bytes], number: signal.Signals, group: bool) -> None:
    with contextlib.suppress(ProcessLookupError):
        if group:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
