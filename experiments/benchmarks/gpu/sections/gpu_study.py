"""A sweep of conf/sweep in the remaining time; the next call continues it."""

from __future__ import annotations

import signal
from pathlib import Path

from conf import presets
from experiments.benchmarks.gpu import processes
from experiments.benchmarks.gpu.setting import TINY_MODEL, Cost, Setting

PLACE = 8
TITLE = "A study in the remaining time"
ASKS = (
    "Runs of a sweep preset (--sweep) in the remaining time. They are in runs/ beside this page; "
    "the next call continues where this one stopped."
)
GOAL = ""
SECONDS = Cost(least=40, most=3600, tiny=20)
SHORT = (*TINY_MODEL, "data.examples=100", "trainer.epochs=1")
TO_STOP = 12.0  # seconds that a sweep may take to end after it was asked to
LONGEST_REHEARSAL = 10.0


def measure(setting: Setting) -> None:
    seconds = max(1.0, setting.left - TO_STOP)
    if setting.tiny:
        go_on(setting, min(seconds, LONGEST_REHEARSAL), *SHORT)
    else:
        go_on(setting, seconds)


def go_on(setting: Setting, seconds: float, *overrides: str) -> None:
    """Run the sweep for this number of seconds; records a row and the summary."""
    runs = setting.out / "runs"
    before = _complete(runs, setting.sweep)
    ended = processes.run(
        setting.command("-m", f"sweep={setting.sweep}", *overrides, runs=runs),
        seconds=seconds,
        log=setting.work / "logs" / "study.log",
        ask=signal.SIGINT,
    )
    if ended.code not in (0, None):
        raise RuntimeError(ended.why())
    planned = len(presets.expand([f"sweep={setting.sweep}"]))
    complete = _complete(runs, setting.sweep)
    setting.record.row(
        "Runs of the sweep",
        sweep=setting.sweep,
        planned=planned,
        complete_before=before,
        complete_now=complete,
        seconds=round(ended.seconds, 1),
        runs_per_hour=round(3600 * (complete - before) / ended.seconds),
    )
    setting.record.say(
        n=f"{complete} of {planned} runs",
        summary=f"{complete - before} runs of {setting.sweep} in {ended.seconds / 60:.1f} minutes",
    )


def _complete(runs: Path, sweep: str) -> int:
    return len(list((runs / sweep).glob("*/seed=*/results.json")))
