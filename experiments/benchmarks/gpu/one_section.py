"""Runs one section in a process of its own; `budget` starts it."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from pathlib import Path

from experiments import terminal
from experiments.benchmarks.gpu import sections
from experiments.benchmarks.gpu.gpu_record import Record
from experiments.benchmarks.gpu.setting import Setting
from experiments.terminal import OK


def command(out: Path, name: str, seconds: float, work: Path, sweep: str, tiny: bool) -> list[str]:
    """The command line of a process that measures one section."""
    own = [name, "--out", str(out), "--seconds", f"{seconds:.0f}", "--work", str(work)]
    return [*own, "--sweep", sweep, *["--tiny"] * tiny]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("section", choices=sections.names())
    for name in ("--out", "--work"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--sweep", required=True)
    parser.add_argument("--tiny", action="store_true")
    given = parser.parse_args(arguments)
    words = ["python", "-m", "experiments.benchmarks.gpu", given.section, *["--tiny"] * given.tiny]
    record = Record(given.out, given.section, tiny=given.tiny, command=shlex.join(words))
    setting = Setting(
        record, given.out, given.work, time.monotonic() + given.seconds, given.tiny, given.sweep
    )
    sections.section(given.section).measure(setting)
    record.finish()
    return OK


if __name__ == "__main__":
    sys.exit(terminal.call(main))
