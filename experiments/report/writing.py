"""The report of a study; the exit code is 0 if every planned run is complete.

    python -m experiments.report runs/paddings
    python -m experiments.report runs/paddings --out experiments/results/paddings

writes report.md and report.html (one page that works offline), runs.csv (one line per run),
differences.csv (one line per comparison; those at other epochs are in differences_at.csv),
curves.csv (one line per epoch of a run), correct.csv (the test items that each run has right),
timings.csv and the pictures, and for TensorBoard the study's `_summary`. The declaration is read
from the study's plan, which was written before the first run; --baseline and --margin override it,
and the report says so.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import statistics
from pathlib import Path
from typing import Any

from conf.reader import ConfigError
from data.tasks import TEST
from data.tasks.metrics import AT, SPEED, measured, split_epoch
from experiments import terminal
from experiments.report import events, overview
from experiments.report.compare.contrasts import Contrasts, contrasts
from experiments.report.compare.differences import Compared, Declared, against_baseline
from experiments.report.compare.families import families
from experiments.report.compare.next_look import next_looks
from experiments.report.compare.reading import Study, read
from experiments.report.compare.remarks import remarks
from experiments.report.pages import content, descriptive, html
from experiments.report.pages.content import Report
from experiments.report.pages.document import markdown
from experiments.report.pages.more_tables import Budget
from experiments.report.pages.pictures import canvas, every_picture, forest, plots
from experiments.report.pages.sheets import sheets
from experiments.report.statistics.numbers import plain
from experiments.run.record import files
from experiments.study import tuning
from experiments.study.plan import Plan
from experiments.terminal import FAILED, OK

SHEETS = (
    "runs.csv",
    "differences.csv",
    "contrasts.csv",
    "differences_at.csv",
    "contrasts_at.csv",
    "curves.csv",
    "border.csv",
    "correct.csv",
    "timings.csv",
)
PICTURE = re.compile(r"(differences|contrasts|border|examples|accuracy|margin|cost|curves)(-\d+)?")
SHOWN = 20  # number of missing runs listed in the terminal


def write(
    study: Path,
    out: Path | None = None,
    *,
    baseline: str | None = None,
    margin: float | None = None,
) -> Report:
    """Read a study's runs, and write its report, its pictures and its summary for TensorBoard.

    Args:
        study: its folder.
        out: where to write; by default `<study>/report`.
        baseline, margin: used instead of those declared.

    Raises:
        ValueError: if there is nothing to report: no plan, and no complete run.
        ConfigError: if the plan cannot be read.
    """
    plan = Plan.read(study)
    declared = _declared(plan, baseline, margin)
    found = read(study, declared.metric, plan=plan)
    if plan is None and found.cells:  # nothing was declared: the measure of the task
        declared = dataclasses.replace(declared, metric=f"{TEST}{found.cells[0].task.measure}")
        found = read(study, declared.metric, plan=plan)
    if not found.cells and plan is None:
        raise ValueError(f"{study} holds no complete run")
    compared, crossed = _compared(found, declared)
    tuned = files.read_json(study / tuning.RECORD) if found.tuned else None
    report = Report(found, declared, compared, crossed, _budgets(found, declared), tuned)
    pictures = every_picture.draw(compared, declared, crossed, study)
    blocks = content.blocks(report, pictures)
    drawn = {picture.name: canvas.png(picture.figure) for picture in pictures}
    out = out or study / "report"
    tables = sheets(report)
    for name, rows in tables.items():
        files.write_csv(out / name, rows)
    for name, picture in drawn.items():
        files.write(out / f"{name}.png", picture)
    files.write(out / "report.md", markdown(blocks).encode())
    files.write(out / "report.html", html.page(study.name, blocks).encode())
    for name in set(SHEETS) - set(tables):
        (out / name).unlink(missing_ok=True)
    for earlier in out.glob("*.png"):
        if earlier.stem not in drawn and PICTURE.fullmatch(earlier.stem):
            earlier.unlink()
    try:
        if drawn:
            files.write(study / "accuracy.png", drawn["accuracy"])
        events.write(report, drawn)
        if found.unplanned or len(compared) > canvas.PANELS:
            overview.write(study)
    except OSError as refusal:  # of a read-only study whose report is written elsewhere
        terminal.say(f"nothing is added to the study itself: {terminal.system_error(refusal)}")
    return report


def _compared(found: Study, declared: Declared) -> tuple[list[Compared], Contrasts]:
    grouped = families(found.cells, found.tuned)
    return [against_baseline(family, declared) for family in grouped], contrasts(grouped, declared)


def _budgets(study: Study, declared: Declared) -> list[Budget]:
    """The comparisons by the metric after all other epochs that are tested."""
    epochs = {epoch for cell in study.cells for epoch in cell.config.trainer.test_epochs}
    name, _ = split_epoch(declared.metric)
    if not epochs or name in SPEED:
        return []
    metrics = [*(f"{name}{AT}{epoch}" for epoch in sorted(epochs)), name]
    return [
        Budget(
            metric,
            *_compared(
                read(study.path, metric, plan=study.plan),
                dataclasses.replace(declared, metric=metric),
            ),
        )
        for metric in metrics
        if metric != declared.metric
    ]


def finish(study: Path) -> bool:
    """Report a study at the end of a sweep, and print its tables.

    Returns:
        Whether every planned run is complete.
    """
    report = write(study)
    tell(report, study / "report")
    return report.study.whole


def tell(report: Report, out: Path) -> None:
    """Print the study: a table per family, the missing runs, the paths of the report."""
    for one in report.compared:
        terminal.say("\n" + "\n".join(table(one, report.declared)))
    if report.contrasts.comparisons:
        lines = (f"{c.name}: {c.interval}, {c.verdicts}" for c in report.contrasts.comparisons)
        unit = measured(report.declared.metric).difference_unit
        terminal.say("\n" + "\n".join([f"contrasts{f', {unit}' * bool(unit)}", *lines]))
    if missing := content.gaps(report.study):
        terminal.say("\nmissing runs")
        terminal.say("\n".join(f"  {line}" for line in missing[:SHOWN]))
        if len(missing) > SHOWN:
            terminal.say(f"  and {len(missing) - SHOWN} more, in the report")
    if unplanned := report.study.unplanned:
        runs = f"{len(unplanned)} complete run{'s' * (len(unplanned) > 1)}"
        terminal.say(f"\n{runs} that no sweep of this study planned: not compared; see the report")
    for line in next_looks(report.study, report.compared, report.contrasts, here=True):
        terminal.say(f"\n{line}")
    terminal.say(f"\n{'report':<14} {out / 'report.html'}")
    first = next((n for n in content.FIRST if (out / f"{n}.png").exists()), None)
    for name in dict.fromkeys((first, "border", "examples")):
        if name and (picture := out / f"{name}.png").exists():
            terminal.say(f"{'picture':<14} {picture}")


def table(one: Compared, declared: Declared) -> list[str]:
    """Lines for a family: padding, n, mean, sd, difference from the baseline, verdict in words."""
    shown = {name: one.family.shown(name) for name in one.family.cells}
    of = measured(declared.metric)
    differences = {name: forest.told(one, name, of.difference_unit) for name in one.family.cells}
    width = max(14, *map(len, shown.values()))
    room = max(22, *(len(difference) for difference, _ in differences.values()))
    counts = {n: descriptive.counted(one, n, declared.metric) for n in one.family.cells}
    wide = max(3, *map(len, counts.values()))
    lines = [
        f"{one.family.title}: {plots.with_unit(declared.metric)}",
        f"{'padding':<{width}} {'n':>{wide}} {'mean':>7} {'sd':>6}   "
        f"{f'− {declared.baseline} [95 %]':<{room}} verdict",
    ]
    for name, cell in one.family.cells.items():
        values = list(cell.points(declared.metric).values())
        mean = plain(statistics.mean(values), of.unit) if values else "–"
        sd = plain(statistics.stdev(values), of.unit) if len(values) > 1 else "–"
        difference, verdict = differences[name]
        row = f"{shown[name]:<{width}} {counts[name]:>{wide}} {mean:>7} {sd:>6}"
        lines.append(f"{row}   {difference:<{room}} {verdict}".rstrip())
    return [*lines, *content.notes(one, declared.metric), *remarks(one.family, declared.metric)]


def _declared(plan: Plan | None, baseline: str | None, margin: float | None) -> Declared:
    """The declaration; settings that replace it are marked as chosen afterwards."""
    told = Declared()
    if plan:
        of = plan.declared
        told = Declared(of.baseline, of.metric, of.margin, tuple(of.looks or ()), plan)
    chosen: dict[str, Any] = {"baseline": baseline, "margin": margin}
    instead = {k: v for k, v in chosen.items() if v is not None and v != getattr(told, k)}
    return dataclasses.replace(told, **instead, afterwards=tuple(instead))


def main(arguments: list[str]) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser("python -m experiments.report", description=__doc__)
    parser.add_argument("study", type=Path, help="a study's folder, such as runs/default")
    parser.add_argument("--out", type=Path, help="where to write; by default <study>/report")
    parser.add_argument("--baseline", help="the padding to compare with; by default as declared")
    parser.add_argument(
        "--margin", type=float, help="the equivalence margin in points; by default as declared"
    )
    options = parser.parse_args(arguments)
    if options.margin is not None and not options.margin > 0:
        parser.error(f"--margin must be positive; got {options.margin:g}")
    if not options.study.is_dir():
        parser.error(f"{options.study} is not a folder")
    out = options.out or options.study / "report"
    try:
        report = write(options.study, out, baseline=options.baseline, margin=options.margin)
    except (ConfigError, ValueError) as mistake:
        parser.error(str(mistake))
    tell(report, out)
    return OK if report.study.whole else FAILED
