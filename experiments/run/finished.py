"""A finished run: its configuration, what it learned of its data, its trained network."""

from __future__ import annotations

import dataclasses
import zipfile
from pathlib import Path
from typing import Any

from conf.reader import ConfigError
from conf.schema import Config
from experiments import terminal
from experiments.run import framework
from experiments.run.record import files
from experiments.run.record.directory import Run


def find(directory: Path, asked_by: str = "") -> Run:
    """The finished run in a directory.

    Args:
        directory: of the run.
        asked_by: what names it on the command line, as `evaluate=`.

    Raises:
        ConfigError: there is none, or a file of it is damaged.
    """
    directory = directory.expanduser()
    run = Run(directory)
    if not directory.is_dir():
        why = "there is no such folder" if not directory.exists() else "that is a file"
    elif damage := run.damage():
        raise damage
    elif run.status is None:
        why = "the folder is no run's"
    elif not run.complete:
        why = f"its status is {run.status}"
    elif not _file(run).is_file():
        why = "its model.keras is missing"
    else:
        return run
    raise ConfigError(
        f"{asked_by}{directory} is not a finished run ({why}): it needs the directory that a "
        "training printed as its results, <runs_dir>/<study>/<cell>/seed=<seed>"
    )


def trained(run: Run, data_dir: str | None = None) -> tuple[Config, dict[str, Any]]:
    """A run's configuration, with its data in `data_dir` if given, and what it learned of it."""
    settings = run.settings()
    own = dataclasses.replace(settings.data, data_dir=data_dir or settings.data.data_dir)
    path = run.directory / "data.json"
    learned: dict[str, Any] | None = files.read_json(path)
    if learned is None:
        raise files.DamagedError(path, "it is missing")
    with files.content_of(path):
        mean, std = learned["mean"], learned["std"]
        if not mean or len(mean) != len(std) or not all(map(files.is_number, [*mean, *std])):
            raise ValueError("mean and std are no lists of numbers, one a channel")
        if min(std) <= 0:
            raise ValueError("std holds a number that is not above 0")
        str(learned["fingerprint"])
    return dataclasses.replace(settings, data=own), learned


def network(run: Run, trained: Config) -> Any:
    """A run's keras.Model, in a Keras that is as it was in training.

    Raises:
        DamagedError: model.keras is not whole.
    """
    with terminal.busy(f"opening {run.directory}"):
        framework.start(trained.backend)
        framework.fresh(precision=trained.trainer.precision, seed=0)
        import keras

        import models.layers  # noqa: F401  registers the layers with Keras

        if not zipfile.is_zipfile(_file(run)):
            raise files.DamagedError(_file(run), "it is no whole .keras file")
        try:
            return keras.saving.load_model(_file(run), compile=False)
        except ImportError:
            raise
        except Exception as error:  # a damaged archive breaks its readers in many ways
            told = " ".join(str(error).split())[:200] or type(error).__name__
            raise files.DamagedError(_file(run), told) from error


def _file(run: Run) -> Path:
    return run.directory / "model.keras"
