"""Evaluate a finished run again: on its own test data, or on other data of the same shape."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import data
from conf.reader import ConfigError
from conf.schema import Config
from data.tasks import TASKS, TEST, Task
from experiments import terminal
from experiments.run import finished, summary
from experiments.run.record import files
from experiments.run.record.directory import Run
from experiments.terminal import OK

# Settings allowed with evaluate= without data=: the place of the run's own data, the probes.
WHERE = ("evaluate", "runs_dir", "data.data_dir", "data.download", "probes")


def main(
    directory: Path,
    overrides: list[str],
    settings: data.DataConfig,
    probes: Sequence[str] = (),
    *,
    visible: bool = True,
) -> int:
    """Evaluate the finished run in `directory`.

    Args:
        directory: of the run.
        overrides: of the command line; if they name data, the run is evaluated on it.
        settings: the settings of that data; otherwise the place of the run's own data.
        probes: probes to apply.
        visible: whether to show a progress bar on a terminal.

    Returns:
        OK, or FAILED if one of the probes failed.
    """
    other = asks_for_other_data(overrides)
    run = finished.find(directory, "evaluate=")
    trained, learned = finished.trained(run, settings.data_dir)
    chosen, task = trained.data, TASKS[trained.task]
    if other:  # its targets and the size of its inputs are those of the run's task
        chosen = dataclasses.replace(settings, task=trained.task, factor=chosen.factor)
    model = finished.network(run, trained)
    from experiments.run import inputs
    from experiments.run.evaluation import tested

    loaded = data.load(chosen)
    for note in loaded.notes:
        terminal.say(note)
    _check_fits(model, loaded.spec, task)
    loaded = renormalised(loaded, learned)
    test = inputs.framed(loaded, model).test
    predictions = tested.predict(model, test, loaded.spec, trained.task)
    found = tested.results(predictions, loaded.spec, trained.task)
    fingerprint = loaded.spec.fingerprint
    target = run.directory / "evaluations" / f"{fingerprint.replace('/', '-')}.json"
    terminal.say(f"{run.directory}: {trained.model.name}, padding {trained.padding.label}")
    _tell(f"test {task.label} on {chosen.name}", found, task)
    _tell(f"recorded by the run on {trained.data.name}", run.results or {}, task)
    changed = not other and fingerprint != learned["fingerprint"]
    if changed:
        terminal.say(
            f"the data is not the run's: {fingerprint} now, {learned['fingerprint']} in the run"
        )
    probed = {k: v for k, v in (_earlier(target) or {}).items() if k == "probes"}
    files.write_json(target, {"data": fingerprint, "examples": len(loaded.test), **found, **probed})
    terminal.say(f"written to {target}")
    if not probes:
        return OK
    from experiments.probes.shared import record, running

    own = not other and not changed
    kept = record.Record.of_run(run) if own else record.Record.of_evaluation(target)
    return running.run(probes, _subject(model, trained, loaded), kept, visible=visible)


def probe(
    run: Run, names: Sequence[str], *, data_dir: str | None = None, visible: bool = True
) -> int:
    """Probe a finished run on its own data.

    Args:
        run: a complete run.
        names: of the probes.
        data_dir: the folder of the data, if it is not that of the run.
        visible: whether to show a progress bar on a terminal.

    Returns:
        OK, or FAILED if one of the probes failed.
    """
    trained, learned = finished.trained(run, data_dir)
    files.check_writable(run.directory)
    model = finished.network(run, trained)
    from experiments.probes.shared import record, running
    from experiments.run import inputs, prepare_data

    identity = prepare_data.fingerprint(trained.data, trained.backend)
    loaded = renormalised(inputs.load(trained.data, identity, trained.trainer), learned)
    kept = record.Record.of_run(run)
    return running.run(names, _subject(model, trained, loaded), kept, visible=visible)


def _subject(model: Any, trained: Config, loaded: data.Data) -> Any:
    from experiments.probes.shared import running
    from experiments.run import inputs

    seeds = inputs.derived(trained.seed, trained.seeds)
    return running.subject(
        model,
        loaded,
        trained.model,
        trained.padding,
        trained.seed,
        seeds["padding"],
        trained.task,
    )


def asks_for_other_data(overrides: list[str]) -> bool:
    """Whether `data=…` is given with `evaluate=…`; `ConfigError` for overrides without effect."""
    keys = [override.split("=", 1)[0].lstrip("+") for override in overrides]
    other = "data" in keys
    for key in keys:
        if key not in WHERE and not (other and (key == "data" or key.startswith("data."))):
            raise ConfigError(
                f"{key} has no effect with evaluate=…: a finished run is evaluated unchanged, on "
                "its own data, or on other data given by data=… and data.…; probes=… measures more"
            )
    return other


def renormalised(loaded: data.Data, learned: dict[str, Any]) -> data.Data:
    """The data normalised as in training: with the training run's mean and sd.

    Target pictures are normalised by those of the run's training targets, and have their range.

    Raises:
        DataError: a value of the test split is not finite after that.
    """
    import numpy as np

    from data.transforms import extremes

    spec = loaded.spec
    now = dataclasses.replace(spec, mean=tuple(learned["mean"]), std=tuple(learned["std"]))
    if pictures := spec.target_mean is not None:
        now = dataclasses.replace(
            now,
            target_mean=tuple(learned["target_mean"]),
            target_std=tuple(learned["target_std"]),
            target_range=learned["target_range"],
        )
    if now == spec:
        return loaded

    def again(split: data.Split) -> data.Split:
        x = _shifted(split.x, (spec.mean, spec.std), (now.mean, now.std))
        y = split.y
        if pictures:
            of_targets = ((s.target_mean, s.target_std) for s in (spec, now))
            y = _shifted(split.y, *of_targets)
        return dataclasses.replace(split, x=x, y=y)

    with np.errstate(over="ignore"):
        test = again(loaded.test)
        for values in (test.x, test.y) if pictures else (test.x,):
            if not np.isfinite(extremes(values)).all():
                raise data.DataError(
                    f"the test split of {spec.provenance.get('name')} holds values that are too "
                    "large for float32 after normalisation by the run's own training data"
                )
    return dataclasses.replace(
        loaded,
        train=again(loaded.train),
        validation=again(loaded.validation) if loaded.validation else None,
        test=test,
        spec=now,
    )


def _shifted(values: Any, before: tuple[Any, Any], after: tuple[Any, Any]) -> Any:
    """Values that were normalised by one mean and sd, normalised by others."""
    import numpy as np

    from data.sources.streaming import Streamed

    if isinstance(values, Streamed):
        return values.normalised(*after)
    stored = np.asarray(values) * np.asarray(before[1]) + np.asarray(before[0])
    return ((stored - np.asarray(after[0])) / np.asarray(after[1])).astype(np.float32)


def _tell(name: str, results: dict[str, Any], task: Task) -> None:
    """Print the task's measure and, of images, the error by distance to the border."""
    terminal.say(f"{name}: {task.told(results[f'{TEST}{task.measure}'])}")
    if line := summary.rings(results.get("error_by_distance", []), task):
        terminal.say(f"  by border, px: {line}")


def _earlier(target: Path) -> dict[str, Any] | None:
    try:
        return files.read_json(target)
    except files.DamagedError as damage:
        terminal.say(f"{damage}; it is replaced")
        return None


def _check_fits(model: Any, spec: data.Spec, task: Task) -> None:
    takes, gives = tuple(model.input_shape[1:]), model.output_shape[-1]
    if task.target != "class":
        if takes != spec.input_shape or gives != spec.num_classes:
            what = "classes" if task.target == "mask" else "channels"
            raise ConfigError(
                f"the model takes {takes} and gives images with {what}: {gives}; the data is "
                f"{spec.input_shape} with target images with {what}: {spec.num_classes}; choose "
                "data of that shape (data.resize=… resizes images)"
            )
        return
    steps = (*model.output_shape[1:-1], None)[0]
    if steps != spec.scored_steps:
        told, labelled = (
            f"the last {n} steps" if n else "an example" for n in (steps, spec.scored_steps)
        )
        raise ConfigError(
            f"the model predicts the class of {told}; the data has that of {labelled}"
        )
    if takes != spec.input_shape or gives != spec.num_classes:
        raise ConfigError(
            f"the model takes {takes} and predicts {gives} classes; the data is {spec.input_shape} "
            f"with {spec.num_classes}: choose data of that shape (data.resize=… resizes images)"
        )
