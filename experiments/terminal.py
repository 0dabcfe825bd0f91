"""What a person reads before and after a run. No framework is imported here."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from conf.schema import Config
from experiments import files
from experiments.run import Run

if TYPE_CHECKING:
    from experiments.planning import Job, Sweep

console = Console(highlight=False, soft_wrap=True)
errors = Console(highlight=False, soft_wrap=True, stderr=True)


_hushed = _waits = False


def say(text: str) -> None:
    if not _hushed:
        console.print(escape(text))


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


def headline(config: Config, device: str) -> None:
    """The line before training: what is trained, on what."""
    say(
        f"{config.model.name}, padding {config.padding.label}, {config.data.label}, "
        f"seed {config.seed}: {config.backend} on {device}, {config.trainer.precision}"
        + (", XLA" if config.trainer.jit else "")
    )


def sizes(layers: list[dict[str, Any]]) -> str:
    """How the map changes through the network: 32×32 → 30×30 → …, repeats left out."""
    shown: list[str] = []
    for layer in layers:
        size = "×".join(str(n) for n in layer["output_size"])
        if size and (not shown or shown[-1] != size):
            shown.append(size)
    return " → ".join(shown)


def summary(results: dict[str, Any], layers: list[dict[str, Any]], run: Run, runs_dir: str) -> None:
    """Accuracy, what the padding did to the maps, where time went, where to look next."""
    n, model = len(run.findings), shlex.quote(str(run.directory / "model.keras"))
    look = f"{n} finding{'s' * (n > 1)}: python -m experiments.geometry --file {model}"
    by_margin = results.get("accuracy_by_margin", {})
    margins = "   ".join(f"{m}: {100 * a['accuracy']:.1f} %" for m, a in by_margin.items())
    by_subset = results.get("accuracy_by_subset", {})
    subsets = "   ".join(f"{s}: {100 * a['accuracy']:.1f} %" for s, a in by_subset.items())
    validation = ""
    if results["validation_accuracy"] is not None:
        validation = f"   (validation {100 * results['validation_accuracy']:.2f} %)"
    lines = {
        "test accuracy": f"{100 * results['test_accuracy']:.2f} %{validation}",
        "by margin, px": margins,
        "by subset": subsets,
        "map sizes": sizes(layers),
        "geometry": look if n else "",
        "network": f"{results['parameters']:,} parameters, {results['macs'] / 1e6:,.2f} M MACs",
        "time": f"set-up {results['setup_seconds']:.1f} s, "
        f"training {results['train_seconds']:.1f} s, "
        f"{results['images_per_second']:,.0f} images/s",
        "results": str(run.directory),
        "look": f"tensorboard --logdir {runs_dir}",
    }
    say("")
    for name, text in lines.items():
        if text:
            say(f"{name:<14} {text}")


def already_complete(run: Run, runs_dir: str) -> None:
    """A complete run's summary again, and what has changed since."""
    say(f"complete: {run.directory} (rerun=true trains it again)")
    if changed := run.changed_since():
        say(f"trained with other {', '.join(changed).replace('_', ' ')} than today's")
    layers = files.read_json(run.directory / "geometry.json")
    summary(run.results or {}, layers, run, runs_dir)


def planned(sweep: Sweep) -> None:
    """Before a sweep: how many runs there are, and which combinations make no sense."""
    done = sum(job.run.complete for job in sweep.jobs)
    parts = [f"{len(sweep.jobs)} runs, {done} of them complete"]
    if sweep.aliases:
        parts.append(f"{sweep.aliases} cells compute the same as another and stand with it")
    if sweep.not_applicable:
        parts.append(f"{len(sweep.not_applicable)} combinations not applicable")
    say("; ".join(parts))
    for one in sweep.not_applicable:
        say(f"not applicable: {one.model}, {one.padding}, {one.data}: {one.why}")


def ended(config: Config, results: dict[str, Any] | None, seconds: float, progress: object) -> None:
    """After a run of a sweep: what came of it, and where the sweep stands."""
    name = (
        f"{config.model.name}, padding {config.padding.label}, {config.data.label}, "
        f"seed {config.seed}"
    )
    came = f"{100 * results['test_accuracy']:.2f} %" if results else "failed"
    say(f"{name}: {came} in {clock(seconds)}   [{progress}]")


def waiting(runs: int) -> None:
    """Once: other processes hold the runs that are left."""
    global _waits
    if not _waits:
        _waits = True
        say(f"waiting for other processes, which hold the last {runs} runs")


def missing(jobs: list[Job]) -> None:
    """After a sweep: every run that is not there, and why."""
    for job in jobs:
        status = files.read_json(job.run.directory / "status.json") or {}
        complain(f"no result: {job.run.directory}: {status.get('error') or 'it never ended'}")


def clock(seconds: float) -> str:
    """75 -> 1:15, 3700 -> 1:01:40."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
