"""A finished run: its configuration, the statistics of its data, its trained network."""

from __future__ import annotations

import dataclasses
import zipfile
from pathlib import Path
from typing import Any

from conf.reader import ConfigError
from conf.schema import Config
from data.tasks import TASKS
from experiments import terminal
from experiments.run import framework
from experiments.run.record import files
from experiments.run.record.directory import Run


def find(directory: Path, asked_by: str = "") -> Run:
    """The finished run in a directory.

    Args:
        directory: of the run.
        asked_by: the part of the command line that names it, such as `evaluate=`.

    Raises:
        ConfigError: there is none, or one of its files is damaged.
    """
    directory = directory.expanduser()
    run = Run(directory)
    if not directory.is_dir():
        why = "there is no such folder" if not directory.exists() else "that is a file"
    elif damage := run.damage():
        raise damage
    elif run.status is None:
        why = "it is not the folder of a run"
    elif not run.complete:
        why = f"its status is {run.status}"
    elif not _file(run).is_file():
        why = "its model.keras is missing"
    else:
        return run
    raise ConfigError(
        f"{asked_by}{directory} is not a finished run ({why}): it must be the directory that a "
        "training printed as its results, <runs_dir>/<study>/<cell>/seed=<seed>"
    )


def trained(run: Run, data_dir: str | None = None) -> tuple[Config, dict[str, Any]]:
    """A run's configuration, with `data_dir` replaced if given, and the statistics of its data."""
    settings = run.settings()
    own = dataclasses.replace(settings.data, data_dir=data_dir or settings.data.data_dir)
    path = run.directory / "data.json"
    learned: dict[str, Any] | None = files.read_json(path)
    if learned is None:
        raise files.DamagedError(path, "it is missing")
    with files.content_of(path):
        _check_statistics(learned, "mean", "std")
        if TASKS[settings.task].target == "picture":
            _check_statistics(learned, "target_mean", "target_std")
            if not files.is_number(learned["target_range"]) or learned["target_range"] < 0:
                raise ValueError("target_range is not a number from 0 on")
        str(learned["fingerprint"])
    return dataclasses.replace(settings, data=own), learned


def _check_statistics(learned: dict[str, Any], *names: str) -> None:
    mean, std = (learned[name] for name in names)
    if not mean or len(mean) != len(std) or not all(map(files.is_number, [*mean, *std])):
        raise ValueError(f"{' and '.join(names)} are not lists with one number per channel")
    if min(std) <= 0:
        raise ValueError(f"{names[1]} holds a number that is not positive")


def network(run: Run, trained: Config) -> Any:
    """A run's keras.Model, with Keras set up as in training.

    Raises:
        DamagedError: model.keras is incomplete.
    """
    with terminal.busy(f"opening {run.directory}"):
        framework.start(trained.backend)
        framework.fresh(precision=trained.trainer.precision, seed=0)
        import keras

        import models.layers  # noqa: F401  registers the layers with Keras

        if not zipfile.is_zipfile(_file(run)):
            raise files.DamagedError(_file(run), "it is not a complete .keras file")
        try:
            model = keras.saving.load_model(_file(run), compile=False)
        except ImportError:
            raise
        except Exception as error:  # readers of a damaged archive raise many kinds of errors
            told = " ".join(str(error).split())[:200] or type(error).__name__
            raise files.DamagedError(_file(run), told) from error
        # From a file, a network has lists of one input and one output; as it was built, it has not.
        return keras.Model(model.inputs[0], model.outputs[0], name=model.name)


def _file(run: Run) -> Path:
    return run.directory / "model.keras"
