"""The progress that is shown while a run trains."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import keras
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from data.tasks import CLASSIFICATION, TASKS, VALIDATION
from experiments.terminal import console, live, say


class Bar(keras.callbacks.Callback):
    """One bar for the whole training, and one line per epoch."""

    def __init__(
        self,
        *,
        epochs: int,
        steps: int,
        batch_size: int,
        visible: bool,
        task: str = CLASSIFICATION,
    ) -> None:
        super().__init__()
        self.task = TASKS[task]
        self.epochs, self.steps, self.batch_size = epochs, steps, batch_size
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("steps  {task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not (visible and console.is_terminal),
        )
        self._display = _display(self._progress)
        self._task = self._progress.add_task(self._at(0), total=steps, rate="")
        self._done = self._shown = 0

    def __enter__(self) -> Bar:
        self._display.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._display.__exit__(*error)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._base = self._done

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._done = min(self._base + batch + 1, self.steps)
        speed = self._progress.tasks[0].speed
        rate = f"{speed * self.batch_size:,.0f} images/s" if speed else ""
        self._progress.update(self._task, completed=self._done, rate=rate)

    def epoch(self, history: list[dict[str, Any]]) -> None:
        """Print the rows of `history` not yet shown."""
        for row in history[self._shown :]:
            validation = ""
            if (value := row.get(f"{VALIDATION}{self.task.measure}")) is not None:
                validation = f"   validation {self.task.told(value, 5)}"
            say(
                f"epoch {row['epoch']:>3}/{self.epochs}   loss {row['loss']:.4f}"
                f"   {self.task.label} {self.task.told(row[self.task.measure], 5)}"
                f"{validation}"
                f"   {row['images_per_second']:,.0f} images/s"
            )
        self._shown = len(history)
        if history:
            self._done = history[-1]["step"]
            at = self._at(len(history))
            self._progress.update(self._task, completed=self._done, description=at)

    def _at(self, done: int) -> str:
        return f"epoch {min(done + 1, self.epochs)}/{self.epochs}"


def _display(bar: Progress) -> AbstractContextManager[Any]:
    return contextlib.nullcontext() if bar.disable else live(bar)


def each(names: Sequence[str], what: str, *, visible: bool) -> Iterator[str]:
    """Iterate over the names, with a bar that shows the current one on a terminal."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        transient=True,
        disable=not (visible and console.is_terminal),
    )
    with _display(bar):
        task = bar.add_task(what, total=len(names))
        for name in names:
            bar.update(task, description=f"{what} {name}")
            yield name
            bar.advance(task)
