"""Writes a run's events for TensorBoard.

A run's scalars are derived from its history, so a resumed run writes all of them again, and no step
is repeated or missing.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.graph.keras_util import keras_model_to_graph_def
from tensorboard.plugins.hparams import api_pb2, metadata, summary_v2
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo

from conf.padding_config import amount_label, mode_label
from conf.schema import Config
from data.tasks import CLASSIFICATION, TASKS, TEST, VALIDATION, Task
from experiments.run.record import tables
from experiments.run.record.event_files import (
    EARLIER,
    EventFile,
    Hyperparameters,
    image,
    plugin,
    replace,
    scalar,
    text,
)
from experiments.run.record.files import png

if TYPE_CHECKING:
    from models.geometry.findings.finding import Finding

SPEED = {
    "speed/learning_rate": "learning_rate",
    "speed/images_per_second": "images_per_second",
}
TEST_ACCURACY = "test/accuracy"
# It warns about every layer under mixed precision, because it does not know the policy's dtype.
logging.getLogger("tensorboard").setLevel(logging.ERROR)


def scalars(task: Task) -> dict[str, str]:
    """Tag -> column of a run's history."""
    columns = {name: (name, f"{VALIDATION}{name}") for name in ("loss", task.measure)}
    return {
        f"{name}/{split}": column
        for name, both in columns.items()
        for split, column in zip(("train", "validation"), both, strict=True)
    } | SPEED


def metrics(task: Task) -> list[Any]:
    """The metrics of the HParams page."""
    return [
        summary_v2.Metric(f"test/{task.measure}", display_name=f"test {task.label}"),
        summary_v2.Metric(f"{task.measure}/validation", display_name=f"validation {task.label}"),
        summary_v2.Metric("speed/images_per_second", display_name="images/s"),
    ]


class Board:
    """A run's event file, from its start to its end; use it as a context manager.

    Every run declares the same hyperparameters and metrics, because TensorBoard takes the columns
    of its HParams page from the first run that it reads.
    """

    def __init__(
        self,
        directory: Path,
        cell: str,
        values: Hyperparameters,
        settings: dict[str, Any],
        task: str = CLASSIFICATION,
    ) -> None:
        self._task = TASKS[task]
        for earlier in directory.glob(EARLIER):
            earlier.unlink()
        self._file = EventFile(directory)
        self._epochs = 0
        columns = [summary_v2.HParam(name) for name in values]
        self._file.add(
            Event(summary=summary_v2.hparams_config_pb(columns, metrics(self._task))),
            Event(summary=summary_v2.hparams_pb(values, cell, start_time_secs=time.time())),
            text("config", _code(json.dumps(settings, indent=2))),
        )

    def __enter__(self) -> Board:
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        try:
            end = SessionEndInfo(
                status=api_pb2.STATUS_FAILURE if kind else api_pb2.STATUS_SUCCESS,
                end_time_secs=time.time(),
            )
            summary = Summary()
            summary.value.add(
                tag=metadata.SESSION_END_INFO_TAG,
                metadata=metadata.create_summary_metadata(HParamsPluginData(session_end_info=end)),
            )
            self._file.add(Event(summary=summary))
        finally:
            self._file.close()

    def model(self, model_json: str, layers: list[dict[str, Any]], findings: list[Finding]) -> None:
        """The graph of layers, twice, the geometry table with a row per layer, and the findings.

        TensorBoard opens its page with the run's graph, and also offers Keras' own graph.
        """
        graph = keras_model_to_graph_def(json.loads(model_json))
        left_out = {"inputs"} if any(any(row["whole"]) for row in layers) else {"inputs", "whole"}
        columns = [{k: v for k, v in row.items() if k not in left_out} for row in layers]
        said = [f"- **{f.severity}**, {f.code}: {f.message}. *{f.remedy}*" for f in findings]
        self._file.add(
            Event(graph_def=graph.SerializeToString()),
            # 1 is the only version of the plugin's data that TensorBoard reads.
            plugin("keras", "graph_keras_model", model_json.encode(), content=b"1"),
            text("geometry", table(columns) if columns else "none"),
            text("geometry/findings", "\n".join(said) or "none"),
        )

    def epoch(self, history: list[dict[str, Any]]) -> None:
        """Write the scalars of the rows of `history` that are not written yet."""
        for row in history[self._epochs :]:
            told = {tag: row[key] for tag, key in scalars(self._task).items() if key in row}
            self._file.add(*(scalar(t, v, row["epoch"], row["time"]) for t, v in told.items()))
        self._epochs = len(history)

    def finish(self, results: dict[str, Any], pictures: Mapping[str, np.ndarray | None]) -> None:
        """Write what the test split gave, and pictures by name, uint8 (height, width, 3)."""
        tested = results[f"{TEST}{self._task.measure}"]
        told = {} if tested is None else {f"test/{self._task.measure}": tested}
        for name, found in results.get("accuracy_by_margin", {}).items():
            told[f"test/accuracy_at_margin/{name}"] = found["accuracy"]
        for name, found in results.get("accuracy_by_subset", {}).items():
            told[f"test/accuracy_on/{name}"] = found["accuracy"]
        self._file.add(*(scalar(tag, value, self._epochs) for tag, value in told.items()))
        for ring in results.get("error_by_distance", []):  # the distance stands for the step
            self._file.add(scalar("test/error_by_distance", ring["error"], ring["distance"]))
        for name, picture in pictures.items():
            if picture is not None:
                self._file.add(image(name, png(picture), self._epochs))


def show_pictures(directory: Path, group: str, pictures: dict[str, bytes]) -> None:
    """Add pictures to the events of a finished run, in a separate event file.

    Args:
        directory: of the run.
        group: the first part of the tags <group>/<name>; a group's earlier file is replaced.
        pictures: PNG files by name.
    """
    for earlier in directory.glob(f"{EARLIER}.{group}.*"):  # the file name of version 0.1
        earlier.unlink()
    events = [image(f"{group}/{name}", picture) for name, picture in pictures.items()]
    replace(directory, events, f".{group}")


def hparams(config: Config) -> Hyperparameters:
    """The hyperparameters of a cell, without the seed.

    TensorBoard sorts the names and shows the first five, so the important ones come first.
    """
    padding, trainer = config.padding.padding, config.trainer
    return {
        "amount": amount_label(padding.amount),
        "data": config.data.label,
        "mode": mode_label(padding.mode, padding.value),
        "model": config.model.name,
        "padding": config.padding.label,
        "pools": config.padding.pools,
        "trainer/backend": config.backend,
        "trainer/batch_size": float(trainer.batch_size),
        "trainer/duration": str(trainer.epochs or f"{trainer.steps} steps"),
        "trainer/learning_rate": float(config.optimizer.options["learning_rate"]),
        "trainer/optimizer": config.optimizer.name,
        "trainer/precision": trainer.precision,
        "trainer/schedule": config.schedule.name,
    }


def table(rows: list[dict[str, Any]]) -> str:
    """A Markdown table; the columns are the first row's keys."""
    return tables.markdown(list(rows[0]), [[_cell(row[c]) for c in rows[0]] for row in rows])


def _cell(value: Any) -> str:
    if isinstance(value, tuple):
        joint = " " if any(isinstance(part, tuple) for part in value) else "×"
        return joint.join(_pair(part) for part in value) or "–"
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _pair(value: Any) -> str:
    return f"({value[0]}, {value[1]})" if isinstance(value, tuple) else str(value)


def _code(text: str) -> str:
    return "```\n" + text + "\n```"
