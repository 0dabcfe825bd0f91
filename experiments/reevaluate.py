"""Measure a finished run again: on its own test data, or on other data of the same shape."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

import data
from conf.reader import ConfigError
from conf.schema import Config, from_dict
from data.streaming import Streamed
from experiments import files, framework, terminal
from experiments.run import Run

# What may stand beside evaluate= without data=: where the run's own data lies.
WHERE = ("evaluate", "runs_dir", "data.data_dir", "data.download")


def main(config: Config, overrides: list[str]) -> int:
    """Evaluate the run in `config.evaluate`; on `config.data` if the overrides name data."""
    run = Run(Path(str(config.evaluate)).expanduser())
    model_file = run.directory / "model.keras"
    if not run.complete or not model_file.is_file():
        raise ConfigError(
            f"evaluate={run.directory} is not a finished run: it needs the directory "
            "that a training printed as its results, <runs_dir>/<study>/<cell>/seed=<seed>"
        )
    other = asks_for_other_data(overrides)
    trained = from_dict(files.read_json(run.directory / "config.json"))
    own = dataclasses.replace(trained.data, data_dir=config.data.data_dir or trained.data.data_dir)
    chosen = config.data if other else own

    framework.start(trained.backend)
    framework.fresh(precision=trained.trainer.precision, seed=0)
    import keras

    import models.layers  # noqa: F401  registers the layers with Keras
    from experiments import evaluation

    model = keras.saving.load_model(model_file, compile=False)
    loaded = data.load(chosen)
    learned = files.read_json(run.directory / "data.json")
    _check_fits(model, loaded.spec)
    test = renormalised(loaded, learned)
    predictions = evaluation.predict(model, test)
    found = evaluation.accuracies(predictions, loaded.spec)
    fingerprint = loaded.spec.fingerprint
    target = run.directory / "evaluations" / f"{fingerprint.replace('/', '-')}.json"
    files.write_json(target, {"data": fingerprint, "examples": len(test), **found})
    recorded = (run.results or {})["test_accuracy"]
    terminal.say(f"{run.directory}: {trained.model.name}, padding {trained.padding.label}")
    terminal.say(f"test accuracy on {chosen.name}: {100 * found['test_accuracy']:.2f} %")
    terminal.say(f"recorded by the run on {trained.data.name}: {100 * recorded:.2f} %")
    if not other and fingerprint != learned["fingerprint"]:
        terminal.say(f"the data is not the run's: {fingerprint}, then {learned['fingerprint']}")
    terminal.say(f"written to {target}")
    return 0


def asks_for_other_data(overrides: list[str]) -> bool:
    """Whether `data=…` stands beside `evaluate=…`; `ConfigError` for what would go unused."""
    keys = [override.split("=", 1)[0].lstrip("+") for override in overrides]
    other = "data" in keys
    for key in keys:
        if key not in WHERE and not (other and (key == "data" or key.startswith("data."))):
            raise ConfigError(
                f"{key} does nothing beside evaluate=…: a finished run is measured as it is, on "
                "its own data, or on other data named by data=… and data.…"
            )
    return other


def renormalised(loaded: data.Data, learned: dict[str, Any]) -> data.Split:
    """The test split in the units the network was trained in: the training run's mean and sd."""
    spec, test = loaded.spec, loaded.test
    if list(spec.mean) == list(learned["mean"]) and list(spec.std) == list(learned["std"]):
        return test
    if isinstance(test.x, Streamed):
        return dataclasses.replace(test, x=test.x.normalised(learned["mean"], learned["std"]))
    stored = test.x * np.asarray(spec.std) + np.asarray(spec.mean)
    x = (stored - np.asarray(learned["mean"])) / np.asarray(learned["std"])
    return dataclasses.replace(test, x=x.astype(np.float32))


def _check_fits(model: Any, spec: data.Spec) -> None:
    takes, gives = tuple(model.input_shape[1:]), model.output_shape[-1]
    steps = (*model.output_shape[1:-1], None)[0]
    if steps != spec.scored_steps:
        told, labelled = (
            f"the last {n} steps" if n else "an example" for n in (steps, spec.scored_steps)
        )
        raise ConfigError(f"the model tells the class of {told}; the data has that of {labelled}")
    if takes != spec.input_shape or gives != spec.num_classes:
        raise ConfigError(
            f"the model takes {takes} and tells {gives} classes; the data is {spec.input_shape} "
            f"with {spec.num_classes}: choose data of that shape (data.resize=… scales images)"
        )
