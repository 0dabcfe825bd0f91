"""One quick picture of a study: accuracy by padding, with one dot per seed.

It is drawn at the end of single runs; `experiments.report` draws it too, with all other pictures.
"""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock

from experiments.report.compare.families import Family, families
from experiments.report.compare.reading import read
from experiments.report.pages import canvas, plots
from experiments.run.record import files

SUFFIX = ".overview"


def write(study: Path) -> Path | None:
    """Draw the study's complete runs to accuracy.png and for TensorBoard; returns the path.

    If there are many families, only the first are drawn, as many as fit in one picture.
    """
    found = collect(study)
    if not found:
        return None
    from experiments.report import events
    from experiments.run.record.event_files import image, replace

    picture = canvas.png(plots.accuracy(found[: canvas.PANELS]))
    folder = study / events.FOLDER
    folder.mkdir(exist_ok=True)
    with FileLock(folder / ".lock"):
        path = study / "accuracy.png"
        files.write(path, picture)
        replace(folder, [image(events.PICTURES["accuracy"], picture)], SUFFIX)
    return path


def collect(study: Path) -> list[Family]:
    """All complete runs below `study`, grouped into families."""
    return families(read(study, brief=True).cells)
