"""The training loop: one `fit` per epoch, a checkpoint after each, exact resume after a kill."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import keras
import numpy as np

from conf.reader import ConfigError
from conf.schema import SCAN, TrainerConfig
from data import AugmentConfig, Data, Spec, Split
from data.config import left_out
from data.epochs.pipeline import plan_epoch
from data.sources.streaming import Streamed
from data.tasks import CLASSIFICATION, TASKS, VALIDATION
from experiments.run import framework
from experiments.run.evaluation.diverged import DivergedError
from experiments.run.loop import checkpoint, objectives, optimizers
from experiments.run.loop.batches import epoch_batches, ordered_batches
from experiments.run.loop.engines import epochs
from experiments.run.loop.seeds import turns

Row = dict[str, Any]


def compile_model(
    model: keras.Model,
    optimizer: Any,
    trainer: TrainerConfig,
    task: str = CLASSIFICATION,
    spec: Spec | None = None,
) -> None:
    """Compile for a task and create the optimizer's variables; pictures need the data's `spec`.

    Raises:
        ConfigError: if `trainer.freeze` matches no layer, or all layers.
    """
    if trainer.freeze is not None:
        _freeze(model, trainer.freeze)
    if not trainer.jit:
        optimizers.shorten(optimizer)
    model.compile(
        optimizer=optimizer,
        loss=objectives.loss(task, model.output_shape[-1], trainer.label_smoothing),
        metrics=objectives.measures(task, model.output_shape[-1], spec),
        jit_compile=trainer.jit,
        steps_per_execution=trainer.steps_per_execution,
    )
    model.optimizer.build(model.trainable_variables)  # loss scaling may have wrapped it


def _freeze(model: keras.Model, pattern: str) -> None:
    chosen = [layer for layer in model.layers if layer.weights and fnmatchcase(layer.name, pattern)]
    if not chosen:
        names = ", ".join(layer.name for layer in model.layers if layer.weights)
        raise ConfigError(f"trainer.freeze={pattern} matches no layer; layers: {names}")
    for layer in chosen:
        layer.trainable = False
    if not model.trainable_variables:
        raise ConfigError(f"trainer.freeze={pattern} leaves nothing to train")


def without_optimizer(model: keras.Model) -> keras.Model:
    """The same layers, not compiled, to be saved after training."""
    return keras.Model(model.inputs, model.outputs, name=model.name)


def batches(examples: int, batch_size: int) -> int:
    """The number of batches in one epoch."""
    return math.ceil((examples - left_out(examples, batch_size)) / batch_size)


def plan(trainer: TrainerConfig, examples: int) -> tuple[int, int]:
    """(epochs, steps) of a whole training; the last epoch is cut short if `steps` requires it."""
    per_epoch = batches(examples, trainer.batch_size)
    if trainer.steps is not None:
        return math.ceil(trainer.steps / per_epoch), trainer.steps
    assert trainer.epochs is not None
    return trainer.epochs, trainer.epochs * per_epoch


def fit(
    model: keras.Model,
    data: Data,
    trainer: TrainerConfig,
    *,
    augment: AugmentConfig,
    seeds: dict[str, int],
    checkpoint_path: Path,
    progress: keras.callbacks.Callback,
    on_epoch: Callable[[list[Row]], None],
) -> list[Row]:
    """Train to the end, from the checkpoint if there is one; returns one row of metrics per epoch.

    `on_epoch` receives the history so far after every epoch whose state has been written to disk,
    and once at a resume.
    """
    epochs, steps = plan(trainer, len(data.train))
    history: list[Row] = []
    best: list[Any] = []
    if checkpoint_path.exists():
        saved = checkpoint.restore(checkpoint_path, model)
        history, best = saved["history"], saved["best"]
        on_epoch(history)
    watch = Watch(trainer.batch_size, len(data.train), steps)
    watch.step = history[-1]["step"] if history else 0
    for epoch in range(len(history), epochs):
        if stopped_early(history, trainer.early_stopping):
            break
        started = time.perf_counter()
        logs = train_epoch(
            model,
            data.train,
            trainer,
            epoch=epoch,
            augment=augment,
            seeds=seeds,
            steps=watch.remaining(),
            callbacks=[watch, progress],
        )
        history.append(
            {
                "epoch": epoch + 1,
                "step": watch.step,
                **logs,
                **validate(model, data, trainer, augment),
                "learning_rate": optimizers.learning_rate(model.optimizer),
                **watch.speed(),
                "train_seconds": time.perf_counter() - started,
                "time": time.time(),
            }
        )
        if trainer.restore_best and kept(history, trainer) is history[-1]:
            best = model.get_weights()
        checkpoint.save(checkpoint_path, model, {"history": history}, best)
        on_epoch(history)
    if trainer.restore_best:
        model.set_weights(best)
    return history


def kept(history: list[Row], trainer: TrainerConfig) -> Row:
    """The epoch whose weights are tested: the last or, with `restore_best`, the one with the
    lowest validation loss.
    """
    if not trainer.restore_best:
        return history[-1]
    return history[int(np.argmin([row["validation_loss"] for row in history]))]


def validated(row: Row, task: str) -> dict[str, float | None]:
    """Measure and loss of the validation split at an epoch; None without such a split."""
    names = (f"{VALIDATION}{TASKS[task].measure}", f"{VALIDATION}loss")
    return {name: row.get(name) for name in names}


def train_epoch(
    model: keras.Model,
    train: Split,
    trainer: TrainerConfig,
    *,
    epoch: int,
    augment: AugmentConfig,
    seeds: dict[str, int],
    steps: int,
    callbacks: list[keras.callbacks.Callback],
) -> dict[str, float]:
    """One pass over `train` of at most `steps` steps; returns the mean loss and the measure."""
    plan: dict[str, Any] = {
        "batch_size": trainer.batch_size,
        "epoch": epoch,
        "order_seed": seeds["order"],
        "augment_seed": seeds["augment"],
        "augment": augment,
        "steps": steps,
    }
    if trainer.engine == SCAN:
        chunked, planned = epochs.of(model, train, augment), plan_epoch(train, **plan)
        if not turns.taken():
            return chunked.run(planned, callbacks)
        from experiments.run.loop.seeds import joint

        return joint.run(chunked, planned, callbacks)
    if augment.active or isinstance(train.x, Streamed):
        source: dict[str, Any] = {"x": epoch_batches(train, **plan)}
    else:  # the same batches from arrays in this epoch's order, the fastest way in Keras
        order = plan_epoch(train, **plan).order
        x = train.x[order]
        y = x if train.y is train.x else train.y[order]
        source = {"x": x, "y": train.framed(y), "batch_size": trainer.batch_size}
    fitted = model.fit(**source, epochs=1, verbose=0, shuffle=False, callbacks=callbacks)
    return {name: float(values[-1]) for name, values in fitted.history.items()}


def validate(
    model: keras.Model, data: Data, trainer: TrainerConfig, augment: AugmentConfig
) -> dict[str, float]:
    """Loss and measure on the validation split, if there is one.

    Raises:
        DivergedError: the loss is not finite.
    """
    if data.validation is None:
        return {}
    size = 4 * trainer.batch_size
    if trainer.engine == SCAN:
        logs = epochs.of(model, data.train, augment).evaluate(data.validation, size)
    else:
        batches = ordered_batches(data.validation, batch_size=size)
        logs = model.evaluate(batches, verbose=0, return_dict=True)
    if not math.isfinite(logs["loss"]):
        raise DivergedError(f"the validation loss became {logs['loss']}")
    return {f"validation_{name}": float(value) for name, value in logs.items()}


def stopped_early(history: list[Row], patience: int | None) -> bool:
    """Whether the validation loss did not improve in the last `patience` epochs."""
    if patience is None or not history:
        return False
    losses = [row["validation_loss"] for row in history]
    return len(losses) - 1 - int(np.argmin(losses)) >= patience


def speed(history: list[Row]) -> dict[str, float]:
    """Medians over the epochs: images per second and milliseconds per step, without tracing."""
    return {
        name: statistics.median(row[name] for row in history)
        for name in ("images_per_second", "step_ms")
    }


class Watch(keras.callbacks.Callback):
    """Counts steps, times them, and stops if the loss is NaN."""

    def __init__(self, batch_size: int, examples: int, steps: int) -> None:
        super().__init__()
        self.batch_size, self.steps = batch_size, steps
        self.examples = examples - left_out(examples, batch_size)
        self.step = self._started = self._last = 0
        self._marks: list[tuple[float, int]] = []

    def remaining(self) -> int:
        """The number of remaining steps of the training."""
        return self.steps - self.step

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._started = self.step
        per_epoch = batches(self.examples, self.batch_size)
        self._last = min(self.step + per_epoch, self.steps)
        self._marks = [(time.perf_counter(), self.step)]

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        # With several steps per execution, Keras counts the last execution of an epoch as full.
        if framework.INTERRUPTED.is_set():
            raise KeyboardInterrupt
        self.step = min(self._started + batch + 1, self._last)
        if logs and not math.isfinite(logs["loss"]):
            raise DivergedError(f"the loss became {logs['loss']} at step {self.step}")
        self._marks.append((time.perf_counter(), self.step))

    def speed(self) -> dict[str, float]:
        """The speed of the last epoch, without its first execution, which may trace, unless that
        has most of the steps: the rest may then be but the smaller last batch.
        """
        (ended, last), after = self._marks[-1], self._marks[1]
        most = 2 * (after[1] - self._started) > last - self._started
        begun, first = self._marks[0] if most else after
        seconds = max(ended - begun, 1e-9)
        seen = min(self.examples, (last - self._started) * self.batch_size)
        return {
            "images_per_second": (seen - (first - self._started) * self.batch_size) / seconds,
            "step_ms": 1000 * seconds / (last - first),
        }
