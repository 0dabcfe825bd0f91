"""The order of the sections and their time; those that no longer fit are skipped and reported."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from experiments import terminal
from experiments.benchmarks.gpu import gpu_record, one_section, processes, sections, setting
from experiments.benchmarks.gpu.gpu_record import FAILED, MEASURED, SKIPPED, STOPPED
from experiments.run.record import files

ENOUGH_ON_A_CPU = (
    10.0  # limit of a rehearsal, as a multiple of the estimate: others may use the cores
)
AT_ONCE_ON_A_CPU = 2  # a rehearsal's figures mean nothing, and a section leaves a core idle
# Held while a record is written: Python 3.11 cannot parse the sources in two threads at once.
WRITING = threading.Lock()
RESERVE = 8.0  # seconds by which a section plans to end before its limit


@dataclass(frozen=True)
class Plan:
    """The settings from the command line.

    Attributes:
        names: of the sections, in order.
        minutes: for all of them.
        out: the folder of results.
        tiny: a rehearsal on a CPU.
        sweep: a preset of conf/sweep, for the section `study`.
    """

    names: Sequence[str]
    minutes: float
    out: Path
    tiny: bool
    sweep: str


def carry_out(plan: Plan) -> dict[str, str]:
    """Measure one section after another, in a rehearsal two at a time; returns their statuses."""
    deadline, stop = time.monotonic() + 60 * plan.minutes, threading.Event()
    with (
        tempfile.TemporaryDirectory(prefix="padzoo-gpu-", ignore_cleanup_errors=True) as folder,
        ThreadPoolExecutor(AT_ONCE_ON_A_CPU if plan.tiny else 1) as pool,
    ):
        own = (plan, deadline, Path(folder), stop)
        try:
            started = {name: pool.submit(_one, name, *own) for name in plan.names}
            return {name: section.result() for name, section in started.items()}
        except BaseException:  # an interrupt: no other section begins, and those that run end
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


def _one(name: str, plan: Plan, deadline: float, work: Path, stop: threading.Event) -> str:
    cost = sections.section(name).SECONDS
    left = deadline - time.monotonic()
    least = cost.tiny if plan.tiny else cost.least
    if left < least:
        why = f"it takes at least {least:.0f} s, but {max(0.0, left):.0f} s were left"
        with WRITING:
            kept = not gpu_record.without_result(plan.out, name, SKIPPED, why, tiny=plan.tiny)
        return _tell(name, SKIPPED, why, kept)
    limit = min(left, ENOUGH_ON_A_CPU * cost.tiny if plan.tiny else cost.most)
    own = one_section.command(
        plan.out, name, max(1.0, limit - RESERVE), work, plan.sweep, plan.tiny
    )
    ended = processes.run(
        processes.python(one_section.__name__, *own),
        seconds=limit,
        log=plan.out / f"{name}.log",
        environment=_environment(plan.tiny, work),
        group=True,
        stop=stop,
    )
    if ended.code == 0:
        summary = files.read_json(plan.out / f"{name}.json")["summary"]
        return _tell(name, MEASURED, f"{ended.seconds:.0f} s; {summary}")
    status = STOPPED if ended.code is None else FAILED
    with WRITING:
        kept = not gpu_record.without_result(plan.out, name, status, ended.why(), tiny=plan.tiny)
    return _tell(name, status, f"{ended.why()} ({ended.log})", kept)


def _environment(tiny: bool, work: Path) -> dict[str, str]:
    """The environment of every process; JAX reserves only the GPU memory that it needs."""
    found = {
        "KERAS_BACKEND": "jax",
        "PYTHONUNBUFFERED": "1",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "XLA_PYTHON_CLIENT_MEM_FRACTION": "0.9",
        **setting.cached(work / "compiled"),
    }
    found |= {name: os.environ[name] for name in found if name in os.environ}
    return found | setting.rehearsal() if tiny else found


def _tell(name: str, status: str, what: str, kept: bool = False) -> str:
    terminal.say(f"{name:<12} {status}: {what}" + "; the earlier result is kept" * kept)
    return status
