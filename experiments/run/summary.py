"""The lines that are printed before and after a run."""

from __future__ import annotations

import itertools
import shlex
from typing import Any

from conf import device
from conf.schema import Config
from data.tasks import CLASSIFICATION, TASKS, TEST, VALIDATION, Task
from experiments.run import framework
from experiments.run.record import files, source_files
from experiments.run.record.directory import Run
from experiments.terminal import counted, say
from models.geometry.tracing.rows import Row, main_path

FILES_NAMED = 3


def headline(config: Config) -> None:
    """The line before training: the run and the device."""
    here, trainer = device.find(config.backend), config.trainer
    threads = f", {counted(framework.threads() or 1, 'thread')}" if here.kind == "cpu" else ""
    xla = ", XLA" if trainer.jit else ""
    say(
        f"{config.title}: {config.backend} on {here.name}{threads}, {trainer.precision}{xla}, "
        f"engine {trainer.engine}"
    )


def sizes(layers: list[dict[str, Any]]) -> str:
    """The sizes of the feature map along the main path, without repeats: 32×32 → 30×30 → …"""
    rows = main_path([Row(**layer) for layer in layers])
    shown = ["×".join(map(str, row.output_size)) for row in rows]
    return " → ".join(size for size, _ in itertools.groupby(shown))


def summary(
    results: dict[str, Any],
    layers: list[dict[str, Any]],
    run: Run,
    runs_dir: str,
    task: str = CLASSIFICATION,
) -> None:
    """The measure of the task, feature map sizes, cost, times, and where to find the results."""
    n, model = len(run.findings), shlex.quote(str(run.directory / "model.keras"))
    look = f"{n} finding{'s' * (n > 1)}: python -m experiments.geometry --file {model}"
    by_margin = results.get("accuracy_by_margin", {})
    margins = "   ".join(f"{m}: {100 * a['accuracy']:.1f} %" for m, a in by_margin.items())
    by_subset = results.get("accuracy_by_subset", {})
    subsets = "   ".join(f"{s}: {100 * a['accuracy']:.1f} %" for s, a in by_subset.items())
    asked = TASKS[task]
    tested = f"{TEST}{asked.measure}"
    at = results.get(f"{tested}_at", {})
    earlier = "   ".join(f"{epoch}: {asked.told(value)}" for epoch, value in at.items())
    validation = ""
    if (value := results[f"{VALIDATION}{asked.measure}"]) is not None:
        validation = f"   (validation {asked.told(value)})"
    macs = f", {results['macs'] / 1e6:,.2f} M MACs" if results["macs"] else ""
    lines = {
        f"test {asked.label}": f"{asked.told(results[tested])}{validation}",
        "after epoch": earlier,
        "by border, px": rings(results.get("error_by_distance", []), asked),
        "by margin, px": margins,
        "by subset": subsets,
        "map sizes": sizes(layers),
        "geometry": look if n else "",
        "network": f"{results['parameters']:,} parameters{macs}",
        "time": f"set-up {results['setup_seconds']:.1f} s, "
        f"training {results['train_seconds']:.1f} s, "
        f"{results['images_per_second']:,.0f} images/s",
        "results": str(run.directory),
        "picture": str(run.directory / files.IMAGES) if "error_by_distance" in results else "",
        "look": f"tensorboard --logdir {runs_dir}",
    }
    say("")
    for name, text in lines.items():
        if text:
            say(f"{name:<14} {text}")


def rings(errors: list[dict[str, Any]], task: Task) -> str:
    """The error at the border, near it and in the middle, by the distance in pixels."""
    if not errors:
        return ""
    last = len(errors) - 1
    chosen = [errors[i] for i in sorted({0, 1, 2, last // 2, last}) if 0 <= i <= last]
    told = "   ".join(f"{e['distance']}: {e['error']:.4g}" for e in chosen)
    return f"{task.error}   {told}"


def already_complete(run: Run, runs_dir: str) -> None:
    """Print the summary of a complete run again, and what has changed since."""
    line = _outdated(run)
    say(f"complete: {run.directory} (rerun=true trains it again)")
    with files.content_of(run.directory / "geometry.json"):
        sizes(run.layers)
    with files.content_of(run.directory / "results.json"):
        summary(run.results or {}, run.layers, run, runs_dir, run.settings().task)
    if line:
        say(f"\n{line}")


def _outdated(run: Run) -> str | None:
    """What has changed since a run was trained, and what to type; None where nothing has."""
    sources, changed = run.changed_since()
    model = source_files.of_model(run.settings().model.name)
    if model in sources:
        sources = [f"{model} (the model)", *sources[1:]]
    if len(sources) > FILES_NAMED:
        sources[FILES_NAMED:] = [f"{len(sources) - FILES_NAMED} more files"]
    named = [*sources, *(key.replace("_", " ") for key in changed)]
    if not named:
        return None
    *first, last = named
    said = f"{', '.join(first)} and {last}" if first else last
    have = "has" if len(named) == 1 and not last.endswith("s") else "have"
    return f"{said} {have} changed since this run was trained: rerun=true trains it anew"
