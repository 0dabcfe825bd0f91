"""Shared by the benchmarks: command line, threads, and the facts recorded with a result."""

from __future__ import annotations

import argparse
import contextlib
import shlex
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from conf import commandline, device
from experiments import terminal
from experiments.report.pages.document import Block, Heading, Items, markdown
from experiments.run.record import files, provenance
from experiments.run.record.tables import Marked

RESULTS = commandline.ROOT.parent / "experiments" / "results"


class Parser(argparse.ArgumentParser):
    """The parser of a benchmark: the help is the module's docstring, a mistake exits with 2."""

    def __init__(self, module: str, description: str | None, **kwargs: Any) -> None:
        super().__init__(
            f"python -m experiments.benchmarks.{module}",
            description=description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **kwargs,
        )

    def error(self, message: str) -> NoReturn:
        terminal.complain(message)
        self.exit(2)

    def add_out(self, folder: str) -> None:
        """Add `--out`."""
        help = f"default: experiments/results/{folder}"
        self.add_argument("--out", type=Path, default=RESULTS / folder, metavar="FOLDER", help=help)


def at_least(least: int) -> Callable[[str], int]:
    """Return a function that reads a whole number from an argument."""

    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"must be a whole number, at least {least}")
        return int(text)

    return number


def timed(action: Callable[[], Any]) -> Callable[[], float]:
    """Return a function that calls `action` and returns the seconds that it took."""

    def run() -> float:
        begun = time.perf_counter()
        action()
        return time.perf_counter() - begun

    return run


def use_threads(count: int) -> None:
    """Give TensorFlow `count` threads."""
    import tensorflow

    with contextlib.suppress(RuntimeError):  # it already runs, by default with one thread per core
        tensorflow.config.threading.set_intra_op_parallelism_threads(count)
        tensorflow.config.threading.set_inter_op_parallelism_threads(count)


def facts(
    module: str, arguments: Sequence[str], versions: dict[str, str], how: str, backend: str
) -> Items:
    """The facts that are needed to repeat a measurement."""
    git = provenance.git()
    words = ["python", "-m", f"experiments.benchmarks.{module}", *arguments]
    lines = [
        Marked(f"command: `{shlex.join(words)}`"),
        f"machine: {device.find(backend).name}, {device.cores()} cores",
        f"versions: {', '.join(f'{name} {version}' for name, version in versions.items())}",
        f"date: {provenance.now()}",
        f"commit: {git['git']}{' and uncommitted changes' if git['git_dirty'] else ''}",
        f"measured: {how}",
    ]
    return Items(lines)


def write(path: Path, title: str, rows: Sequence[dict[str, Any]], *blocks: Block) -> list[Path]:
    """Write <path>.md and its rows as <path>.csv; returns both."""
    page, figures = (path.with_name(path.name + ending) for ending in (".md", ".csv"))
    files.write(page, markdown([Heading(title, 1), *blocks]).encode())
    files.write_csv(figures, rows)
    return [page, figures]
