"""Everything that is written for TensorBoard, in one room.

tensorboardX writes the event files on every backend. A run's scalars are derived from its
history, so a resumed run writes them anew and no step stands twice or is missing.
"""

from __future__ import annotations

import json
import logging
import os
import struct
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.graph.keras_util import keras_model_to_graph_def
from tensorboard.plugins.hparams import api_pb2, metadata, summary_v2
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo
from tensorboardX import SummaryWriter
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary as WrittenSummary

from conf import label
from conf.schema import Config

if TYPE_CHECKING:
    from models.geometry.findings import Finding

SCALARS = {
    "loss/train": "loss",
    "loss/validation": "validation_loss",
    "accuracy/train": "accuracy",
    "accuracy/validation": "validation_accuracy",
    "speed/learning_rate": "learning_rate",
    "speed/images_per_second": "images_per_second",
}
TEST_ACCURACY = "test/accuracy"
# It warns of every layer under mixed precision, whose policy it draws as no dtype.
logging.getLogger("tensorboard").setLevel(logging.ERROR)
METRICS = [
    summary_v2.Metric(TEST_ACCURACY, display_name="test accuracy"),
    summary_v2.Metric("accuracy/validation", display_name="validation accuracy"),
    summary_v2.Metric("speed/images_per_second", display_name="images/s"),
]


class Board:
    """A run's event file, from its start to its end; use it as a context manager.

    Every run declares the same hyperparameters and metrics: TensorBoard takes the columns of its
    HParams page from whichever run it reads first.
    """

    def __init__(self, directory: Path, config: Config, cell: str) -> None:
        for earlier in directory.glob("events.out.tfevents.*"):
            earlier.unlink()
        self._writer = SummaryWriter(str(directory), filename_suffix=_suffix())
        self._epochs = 0
        values = hparams(config)
        self._add(summary_v2.hparams_config_pb([summary_v2.HParam(n) for n in values], METRICS))
        self._add(summary_v2.hparams_pb(values, trial_id=cell, start_time_secs=time.time()))
        self._writer.add_text("config", _code(json.dumps(config.to_dict(), indent=2)), 0)

    def __enter__(self) -> Board:
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        try:
            end = SessionEndInfo(
                status=api_pb2.STATUS_FAILURE if kind else api_pb2.STATUS_SUCCESS,
                end_time_secs=time.time(),
            )
            self._add(
                _tagged(metadata.SESSION_END_INFO_TAG, HParamsPluginData(session_end_info=end))
            )
        finally:
            self._writer.close()

    def model(self, model_json: str, layers: list[dict[str, Any]], findings: list[Finding]) -> None:
        """The graph of layers, twice, the geometry table, a row a layer, and what the lint found.

        TensorBoard opens its page with the run's graph and offers Keras' own beside it.
        """
        graph = keras_model_to_graph_def(json.loads(model_json))
        self._writer.file_writer.add_event(Event(graph_def=graph.SerializeToString()))
        summary = Summary()
        value = summary.value.add(tag="keras")
        value.metadata.plugin_data.plugin_name = "graph_keras_model"
        value.metadata.plugin_data.content = b"1"  # the only version TensorBoard reads
        value.tensor.dtype = 7  # DT_STRING
        value.tensor.tensor_shape.SetInParent()
        value.tensor.string_val.append(model_json.encode())
        self._add(summary)
        self._writer.add_text("geometry", table(layers), 0)
        said = [f"- **{f.severity}**, {f.code}: {f.message}. *{f.remedy}*" for f in findings]
        self._writer.add_text("geometry/findings", "\n".join(said) or "none", 0)

    def epoch(self, history: list[dict[str, Any]]) -> None:
        """The scalars of those rows of `history` that are not written yet."""
        for row in history[self._epochs :]:
            for tag, key in SCALARS.items():
                if key in row:
                    self._writer.add_scalar(tag, row[key], row["epoch"], walltime=row["time"])
        self._epochs = len(history)
        self._writer.flush()

    def finish(self, results: dict[str, Any], picture: np.ndarray) -> None:
        """The test accuracies, and the picture of mean activations (height, width, 3) uint8."""
        add = self._writer.add_scalar
        add(TEST_ACCURACY, results["test_accuracy"], self._epochs)
        for name, found in results.get("accuracy_by_margin", {}).items():
            add(f"test/accuracy_at_margin/{name}", found["accuracy"], self._epochs)
        for name, found in results.get("accuracy_by_subset", {}).items():
            add(f"test/accuracy_on/{name}", found["accuracy"], self._epochs)
        self._writer.add_image("mean_activation", picture, self._epochs, dataformats="HWC")

    def _add(self, summary: Summary) -> None:
        written = WrittenSummary.FromString(summary.SerializeToString())
        self._writer.file_writer.add_summary(written, 0)


def show_pictures(directory: Path, group: str, pictures: dict[str, bytes]) -> None:
    """Show pictures beside what a finished run has written, in an event file of their own.

    The file takes the place of an earlier one of this group: each picture is there once.

    Args:
        directory: of the run.
        group: the first part of the tags <group>/<name>.
        pictures: PNG files by name.
    """
    for earlier in directory.glob(f"events.out.tfevents.*.{group}.*"):
        earlier.unlink()
    with SummaryWriter(str(directory), filename_suffix=f".{group}{_suffix()}") as writer:
        for name, png in pictures.items():
            summary = WrittenSummary()
            image = summary.value.add(tag=f"{group}/{name}").image
            # In a PNG file width and height stand first, and 3 is RGB.
            image.width, image.height = struct.unpack(">II", png[16:24])
            image.colorspace, image.encoded_image_string = 3, png
            writer.file_writer.add_summary(summary, 0)


def hparams(config: Config) -> dict[str, str | float | bool]:
    """A cell's hyperparameters: what a person compares by. The seed is none.

    TensorBoard sorts the names and shows the first five: those that matter most come first.
    """
    padding, trainer = config.padding.padding, config.trainer
    return {
        "amount": label.of_amount(padding.amount),
        "data": config.data.label,
        "mode": label.of_mode(padding.mode, padding.value),
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
    columns = list(rows[0])
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(_cell(row[c]) for c in columns) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, tuple):
        joint = " " if any(isinstance(part, tuple) for part in value) else "×"
        return joint.join(_pair(part) for part in value) or "–"
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _pair(value: Any) -> str:
    return f"({value[0]}, {value[1]})" if isinstance(value, tuple) else str(value)


def _code(text: str) -> str:
    return "```\n" + text + "\n```"


def _suffix() -> str:
    """Of an event file: writers of one directory and one second do not meet."""
    return f".{os.getpid()}.{uuid.uuid4().hex[:8]}"


def _tagged(tag: str, content: HParamsPluginData) -> Summary:
    summary = Summary()
    summary.value.add(tag=tag, metadata=metadata.create_summary_metadata(content))
    return summary
