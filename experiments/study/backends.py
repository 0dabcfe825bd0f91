"""A sweep over back ends: one process for each, because Keras fixes its back end at import."""

from __future__ import annotations

import signal
import subprocess
import sys

from conf import commandline, device
from conf.reader import unknown
from conf.schema import BACKENDS
from experiments import terminal
from experiments.run import framework
from experiments.terminal import FAILED, OK, STOPPED


def split(arguments: list[str]) -> dict[str, list[str]]:
    """Split a multirun over back ends: from each back end to the arguments of its part.

    `auto` is replaced by the actual back end. Empty if there is no sweep over `backend`.

    Raises:
        ConfigError: for invalid arguments, or a back end that is not installed.
    """
    named = [o for o in commandline.parse(arguments) if o.key_or_group == "backend"]
    if not any(override.is_sweep_override() for override in named):
        return {}
    commandline.check(arguments)
    if not commandline.is_multirun(arguments):
        return {}
    commandline.check_shows_one(arguments)
    swept = {}
    others = [a for a in arguments if a not in {o.input_line for o in named}]
    for name in commandline.values(named[-1]):
        backend = device.default_backend() if name == "auto" else name
        if backend not in BACKENDS:
            raise unknown("backend", backend, ("auto", *BACKENDS))
        framework.check_installed(backend)
        swept[backend] = [*others, f"backend={backend}"]
    return swept


def run_each(sweeps: dict[str, list[str]]) -> int:
    """Run the sweep of each back end in a separate process, one after the other.

    Returns the worst of their exit codes; an interrupt is passed on and ends all of them.
    """
    worst = OK
    for number, (backend, arguments) in enumerate(sweeps.items(), start=1):
        terminal.say(f"\n[backend {backend}, {number} of {len(sweeps)}]")
        code = _run(arguments)
        worst = max(worst, code)
        if code == STOPPED:
            break
    return worst


def _run(arguments: list[str]) -> int:
    program = commandline.ROOT.parent / "train.py"
    sys.stdout.flush()
    # A separate process group, because otherwise a terminal's Ctrl-C would reach it twice. But
    # then the closing of a terminal does not reach it at all.
    child = subprocess.Popen([sys.executable, str(program), *arguments], process_group=0)
    hangup = signal.getsignal(signal.SIGHUP)
    if hangup == signal.SIG_DFL:  # ignored under nohup, which stays so
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    try:
        code = child.wait()
    except KeyboardInterrupt:
        child.send_signal(signal.SIGINT)
        child.wait()
        return STOPPED
    finally:
        signal.signal(signal.SIGHUP, hangup)
    return code if code >= 0 else FAILED
