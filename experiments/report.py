"""A study's finished runs as files to keep: a table, every run, and the learning curves.

    python -m experiments.report runs/architectures --out experiments/results/architectures

writes report.md (a line a cell, with its command, versions and machine, and every cell against
the baseline), runs.csv (a line a run), differences.csv (a line a comparison), curves.csv (a line
an epoch of a run) and curves.png. Paths are left out of the commands.
"""

from __future__ import annotations

import argparse
import math
import shlex
import statistics
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from conf.schema import Config
from experiments import differences, files, overview, terminal
from experiments.differences import Family, families
from experiments.run import by_cell, complete_runs
from experiments.study import Plan

PATHS = ("runs_dir=", "data.data_dir=", "data.path=", "trainer.progress=")
COLUMNS = (
    "network",
    "padding",
    "data",
    "epochs",
    "n",
    "test accuracy, % (sd)",
    "seed by seed",
    "parameters",
    "minutes a run",
)
PANELS_A_ROW = 4
TRAIN, VALIDATION = "#0072b2", "#d55e00"  # colour-blind-safe: Okabe & Ito


@dataclass(frozen=True)
class Record:
    """A complete run with all that its directory says of it."""

    cell: str
    config: Config
    results: dict[str, Any]
    start: dict[str, Any]
    curve: list[dict[str, float]]

    @property
    def accuracy(self) -> float:
        """Test accuracy in per cent."""
        return 100 * self.results["test_accuracy"]


def read(study: Path) -> dict[str, list[Record]]:
    """cell -> its complete runs, in the order of their seeds."""
    cells: dict[str, list[Record]] = defaultdict(list)
    for cell, config, results in complete_runs(study):
        folder = study / cell / f"seed={config.seed}"
        start = files.read_json(folder / "meta.json")["starts"][-1]
        curve = [
            {name: float(value) for name, value in row.items() if value}
            for row in files.read_csv(folder / "metrics.csv")
        ]
        cells[cell].append(Record(cell, config, results, start, curve))
    return {cell: sorted(runs, key=lambda run: run.config.seed) for cell, runs in cells.items()}


def against(study: Path, baseline: str, margin: float) -> list[Family]:
    """Every cell of a study against the baseline, in points of test accuracy."""
    accuracies = {
        names: {
            cell: {seed: 100 * results["test_accuracy"] for seed, results in runs.items()}
            for cell, runs in cells.items()
        }
        for names, cells in by_cell(study).items()
    }
    return families(accuracies, baseline, margin)


def write(study: Path, folder: Path, baseline: str = "same", margin: float = 0.3) -> list[str]:
    """Write the study's files to `folder` and return the report's lines.

    Raises:
        ValueError: if no run is complete.
    """
    cells = read(study)
    if not cells:
        raise ValueError(f"{study} holds no complete run")
    runs = [run for group in cells.values() for run in group]
    files.write_csv(folder / "runs.csv", [_line(run) for run in runs])
    files.write_csv(folder / "curves.csv", [point for run in runs for point in _points(run)])
    draw(list(cells.values())).savefig(folder / "curves.png")
    found = against(study, baseline, margin)
    if compared := differences.rows(found):
        files.write_csv(folder / "differences.csv", compared)
    lines = markdown(study.name, cells, differences.markdown(found, baseline, margin))
    files.write(folder / "report.md", "\n".join(lines).encode())
    return lines


def finish(study: Path) -> bool:
    """Report at the end of a sweep; says whether every planned run is there."""
    plan = Plan.read(study)
    if picture := overview.write(study):
        terminal.say(f"picture {picture}")
    return plan is None or all(run.complete for run in plan.runs(study))


def markdown(name: str, cells: dict[str, list[Record]], compared: list[str]) -> list[str]:
    """The report's lines; those on the comparisons are given."""
    lines = [
        f"# {name}",
        "",
        "Test accuracy after the last epoch; sd is the sample standard deviation over seeds.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        "|---" * len(COLUMNS) + "|",
    ]
    for runs in cells.values():
        values, first = [run.accuracy for run in runs], runs[0]
        spread = f" ({statistics.stdev(values):.2f})" if len(values) > 1 else ""
        minutes = statistics.median(run.results["train_seconds"] for run in runs) / 60
        cells_of_row = [
            first.config.model.name,
            first.config.padding.label,
            _data(first.config),
            first.results["epochs"],
            len(runs),
            f"{statistics.mean(values):.2f}{spread}",
            ", ".join(f"{value:.2f}" for value in values),
            f"{first.results['parameters']:,}",
            f"{minutes:.1f}",
        ]
        lines.append("| " + " | ".join(map(str, cells_of_row)) + " |")
    lines += ["", *compared]
    lines += ["![learning curves](curves.png)", "", "## Commands", ""]
    runs = [run for group in cells.values() for run in group]
    lines += [f"- `{line}`" for line in dict.fromkeys(command(run) for run in runs)]
    lines += ["", "## Where and with what", ""]
    lines += [f"- {line}" for line in dict.fromkeys(_provenance(run) for run in runs)]
    return [*lines, ""]


def _data(config: Config) -> str:
    part = config.data.examples
    return config.data.label + (f", {part:,} examples" if part else "")


def command(run: Record) -> str:
    """The command that trained a run, without the paths of the machine it ran on."""
    words = shlex.split(run.start["command"])
    return shlex.join(word for word in words if not word.startswith(PATHS))


def draw(cells: list[list[Record]]) -> Figure:
    """A panel a cell: accuracy by epoch, a thin line a seed, and the test accuracy at the end."""
    columns = min(len(cells), PANELS_A_ROW)
    rows = math.ceil(len(cells) / columns)
    figure = Figure(figsize=(4.2 * columns, 3.6 * rows), dpi=110)
    FigureCanvasAgg(figure)
    figure.set_layout_engine("constrained")
    panels = figure.subplots(rows, columns, squeeze=False).flatten()
    for unused in panels[len(cells) :]:
        unused.remove()
    for axis, runs in zip(panels, cells, strict=False):
        for run in runs:
            epochs = [row["epoch"] for row in run.curve]
            for key, colour in (("accuracy", TRAIN), ("validation_accuracy", VALIDATION)):
                if key in run.curve[0]:
                    heights = [100 * row[key] for row in run.curve]
                    axis.plot(epochs, heights, color=colour, lw=1.2, alpha=0.8)
            axis.plot([epochs[-1]], [run.accuracy], "k_", ms=12, mew=1.5)
        config = runs[0].config
        names = config.model.name, config.padding.label, _data(config)
        axis.set_title(", ".join(names), size=9)
        axis.set_xlabel("epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.3)
    panels[0].set_ylabel("accuracy, %")
    panels[0].plot([], [], color=TRAIN, label="training")
    panels[0].plot([], [], color=VALIDATION, label="validation")
    panels[0].plot([], [], "k_", ms=12, label="test, at the end")
    panels[0].legend(loc="lower right", fontsize=8)
    return figure


def _line(run: Record) -> dict[str, Any]:
    keys = ("test_accuracy", "validation_accuracy", "epochs", "parameters", "macs")
    return {
        "cell": run.cell,
        "model": run.config.model.name,
        "padding": run.config.padding.label,
        "data": run.config.data.label,
        "examples": run.config.data.examples,
        "seed": run.config.seed,
        **{key: run.results[key] for key in keys},
        **{key: round(run.results[key], 1) for key in ("train_seconds", "images_per_second")},
        "backend": run.config.backend,
        "device": run.start["device"],
        "commit": (run.start.get("git") or "")[:12],
    }


def _points(run: Record) -> list[dict[str, Any]]:
    keys = ("loss", "accuracy", "validation_loss", "validation_accuracy", "learning_rate")
    place = {"cell": run.cell, "seed": run.config.seed}
    return [
        {**place, "epoch": int(row["epoch"]), **{key: row.get(key) for key in keys}}
        for row in run.curve
    ]


def _provenance(run: Record) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in run.start["versions"].items())
    dirty = " with changes" if run.start.get("git_dirty") else ""
    return (
        f"{run.start['device']}; {run.config.backend}, {run.config.trainer.precision}"
        f"{', XLA' if run.config.trainer.jit else ''}; {versions}; "
        f"commit {(run.start.get('git') or 'unknown')[:12]}{dirty}; {run.start['time'][:10]}"
    )


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("python -m experiments.report", description=__doc__)
    parser.add_argument("study", type=Path, help="a study's folder, such as runs/default")
    parser.add_argument("--out", type=Path, help="where to write; by default <study>/report")
    parser.add_argument("--baseline", default="same", help="the padding to compare with")
    parser.add_argument(
        "--margin", type=float, default=0.3, help="of equivalence, in points; default 0.3"
    )
    options = parser.parse_args(arguments)
    if not options.margin > 0:
        parser.error(f"--margin must be positive; got {options.margin:g}")
    out = options.out or options.study / "report"
    try:
        lines = write(options.study, out, options.baseline, options.margin)
    except ValueError as mistake:
        parser.error(str(mistake))
    terminal.say("\n".join(lines))
    terminal.say(f"written to {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
