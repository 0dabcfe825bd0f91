"""One picture of all complete runs of a study, planned or not: accuracy by padding.

It is drawn at the end of single runs, and by `experiments.report` where its own picture of
accuracies does not hold every run.
"""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock

from experiments import terminal
from experiments.report.compare.families import Family, families
from experiments.report.compare.reading import read
from experiments.report.pages.pictures import canvas, plots
from experiments.run.record import files
from experiments.study.plan import Plan

SUFFIX = ".overview"
TAG = "6_all_runs_so_far"  # after the pictures of a report


def write(study: Path) -> Path | None:
    """Draw the study's complete runs to accuracy.png and for TensorBoard; returns the path.

    If there are very many families, only the first are drawn, and a line says so.
    """
    found = collect(study)
    if not found:
        return None
    from experiments.report import events
    from experiments.run.record.event_files import image, replace

    if len(found) > canvas.MOST:
        terminal.say(f"only the first {canvas.MOST} of {len(found)} families are drawn")
    picture = canvas.png(plots.accuracy(found[: canvas.MOST]))
    folder = study / events.FOLDER
    folder.mkdir(exist_ok=True)
    with FileLock(folder / ".lock"):
        path = study / "accuracy.png"
        files.write(path, picture)
        replace(folder, [image(TAG, picture)], SUFFIX)
    return path


def collect(study: Path) -> list[Family]:
    """All complete runs below `study`, grouped into families."""
    try:
        plan = Plan.read(study)
    except files.DamagedError:  # a report names it
        plan = None
    tuned = plan.declared.tuned if plan else None
    return families(read(study, brief=True).cells, tuned or ())
