"""A study at a glance, in a fraction of a second: accuracy against padding, every seed a dot.

Drawn at the end of single runs; `experiments.report` draws the same picture and all others.
"""

from __future__ import annotations

import fcntl
from pathlib import Path

from experiments.reporting import canvas, plots
from experiments.reporting.families import Family, families
from experiments.reporting.reading import read

SUFFIX = ".overview"


def write(study: Path) -> Path | None:
    """Draw the study's complete runs to accuracy.png and for TensorBoard; the picture's path.

    Of many families the first are drawn, as many as fit in one picture.
    """
    found = collect(study)
    if not found:
        return None
    from experiments.reporting import summary

    picture = canvas.png(plots.accuracy(found[: canvas.PANELS]))
    folder = study / summary.FOLDER
    folder.mkdir(exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = study / "accuracy.png"
        path.write_bytes(picture)
        summary.replace(folder, [summary.image(summary.PICTURES["accuracy"], picture)], SUFFIX)
    return path


def collect(study: Path) -> list[Family]:
    """All complete runs below `study`, by what was trained."""
    return families(read(study, brief=True).cells)
