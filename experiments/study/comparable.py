"""Whether a run that is about to train can be compared with the existing runs of its study, and
whether it will record what its study compares.

Runs are paired by seed only if processor, threads, seeds at once, oneDNN, versions and sources
agree. This is checked before training: the number of threads is taken from the study, and one line
names any other difference and says what to do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import data
from conf import device
from conf.reader import DoesNotFitError
from conf.schema import Config
from data.tasks import VALIDATION
from data.tasks.metrics import BY_MARGIN, ERROR_AT, OF, ON, PARTS, split_part
from experiments.run import framework
from experiments.run.record import circumstances, files, provenance, source_files

# What to do about a difference; {} is the value of the study's runs.
REMEDIES = {
    "threads": "trainer.threads={}",
    "seeds_at_once": "trainer.seeds_at_once={}",
    "onednn": framework.ONEDNN + "={:d} before the command",
    "versions": "the study's versions of the packages",
    "sources": "the study's sources",
    "device": "a machine like the study's",
    "instruction_sets": "a machine like the study's",
}


def check_recorded(metric: str, loaded: data.Data) -> None:
    """Raise an error for a declared metric that runs on this data do not record.

    Args:
        metric: one that the task measures.
        loaded: the data.

    Raises:
        DoesNotFitError: in one line, with the parts of the test split that there are.
    """
    if metric.startswith(VALIDATION) and loaded.validation is None:
        raise DoesNotFitError(
            f"sweep.metric={metric} needs a validation split: data.validation > 0"
        )
    start, part = split_part(metric)
    test = loaded.test
    parts: list[str] = []
    if start == ON:
        parts = [] if test.subset is None else list(dict.fromkeys(test.subset.tolist()))
    elif start == OF:
        parts = [name for i, name in enumerate(loaded.spec.class_names) if (test.y == i).any()]
    elif start == BY_MARGIN and test.margin is not None:
        from experiments.run.evaluation.classes import by_margin

        parts = list(by_margin(test.margin, test.margin > 0))
    elif start == ERROR_AT:
        parts = list(map(str, range((min(test.y.shape[1:3]) + 1) // 2)))
    if start in PARTS and part not in parts:
        there = f"where {start} takes {', '.join(parts)}"
        if not parts:
            there = "whose test split is not divided that way"
        raise DoesNotFitError(f"sweep.metric={metric} is not recorded with this data, {there}")


def threads(config: Config, workers: int = 1) -> int:
    """The number of threads among which the run's operations are split on a CPU.

    This is `trainer.threads`; if that is auto, the number with which the back end of this process
    was started; else the number of the study's runs; else the cores of this process / `workers`.
    """
    asked = config.trainer.threads
    if isinstance(asked, int):
        return asked
    if running := framework.threads():
        return running
    known = (start["threads"] for start in _starts(config) if start["threads"])
    found = next(known, max(1, device.cores() // workers))
    # TensorFlow takes any number of threads, JAX at most one per core.
    return min(found, os.cpu_count() or 1) if config.backend == "jax" else found


def warning(config: Config, threads: int) -> str | None:
    """One line if the study's runs cannot be compared with a run made here, else None.

    It considers one run per cell, of the same network, data and back end. Runs that are trained
    again (rerun=true) are the remedy and give no warning.
    """
    if config.rerun:
        return None
    model, data = config.model.name, config.data
    here = {
        **provenance.today(config.backend, config.device),
        "sources": source_files.of_run(model, data.source, data.name, config.padding.modes),
        "threads": threads if device.find(config.backend, config.device).kind == "cpu" else None,
        "seeds_at_once": config.trainer.seeds_at_once,
    }
    apart: dict[str, list[Any]] = {}
    total = unlike = 0
    for start in _starts(config):
        # Older runs did not record everything; a missing entry does not count as a difference.
        differs = [
            key
            for key, value in here.items()
            if start[key] is not None and circumstances.unlike([value], [start[key]])
        ]
        total += 1
        unlike += bool(differs)
        for key in differs:
            if start[key] not in apart.setdefault(key, []):
                apart[key].append(start[key])
    if not apart:
        return None
    told = ", ".join(
        f"{key.replace('_', ' ')} ({circumstances.told([here[key]], [value])})"
        for key, (value, *_) in apart.items()
    )
    wanted = dict.fromkeys(REMEDIES[key].format(value) for key, (value, *_) in apart.items())
    return (
        f"not comparable: {unlike} of the {total} cells of study {config.study} differ from this "
        f"run in {told}. Use {' and '.join(wanted)}, or another study=…, or train all of them "
        "here with rerun=true"
    )


def _starts(config: Config) -> Iterator[dict[str, Any]]:
    """The last start of one run of each cell with the same network, data and back end."""
    own = (config.model.name, config.data.name, config.backend)
    for cell in sorted(_folders(config.study_folder)):
        for run in _folders(cell):
            try:
                settings = files.read_json(run / "config.json")
                starts = files.read_json(run / "meta.json")["starts"]
                of = (settings["model"]["name"], settings["data"]["name"], settings["backend"])
                found = circumstances.of_start(starts[-1])
            except (OSError, ValueError, LookupError, TypeError, AttributeError):
                continue  # no run, or a damaged one that the report names
            if of == own:
                yield found
            break


def _folders(path: Path) -> list[Path]:
    if not path.is_dir():
        return []
    with os.scandir(path) as entries:
        return [
            Path(entry.path) for entry in entries if entry.is_dir() and entry.name[0] not in "._"
        ]
