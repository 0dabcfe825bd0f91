"""TensorBoard's event files, on every back end: their entries, and writing them.

The entries are TensorBoard's own protocol buffers, written by its own record writer, so that
nothing here needs TensorFlow. A run's file grows (`EventFile`); a report's file is built in memory
and replaces the previous one (`replace`).
"""

from __future__ import annotations

import io
import os
import re
import time
import uuid
from collections.abc import Iterable
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_STRING
from tensorboard.plugins.text.metadata import PLUGIN_NAME as TEXT
from tensorboard.summary.writer.record_writer import RecordWriter

from experiments.run.record import files

Hyperparameters = dict[str, str | float | bool]
EARLIER = "events.out.tfevents.*"
VERSION = "brain.Event:2"
SIZE = slice(16, 20), slice(20, 24)  # offset of width and height in a PNG file


class EventFile:
    """An event file in a folder, which must be closed at the end."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = open(folder / _name(), "xb")  # noqa: SIM115  open as long as the object exists
        self._records = RecordWriter(self._file)
        self.add(Event(file_version=VERSION))

    def add(self, *events: Event) -> None:
        """Write events at once; those without a time get the current time."""
        for event in events:
            event.wall_time = event.wall_time or time.time()
            self._records.write(event.SerializeToString())
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def replace(
    folder: Path, events: Iterable[Event], suffix: str = "", wall_time: float | None = None
) -> None:
    """Replace the folder's event files that end in `suffix` by one new file.

    The new file appears complete before the earlier ones are removed; an earlier file with the same
    content is kept.

    Args:
        folder: of the event file.
        events: its content.
        suffix: of the file's name.
        wall_time: the time of the events; by default the current time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    earlier = list(folder.glob(f"{EARLIER}{suffix}"))
    content, now = io.BytesIO(), time.time()
    records = RecordWriter(content)
    for event in [Event(file_version=VERSION), *events]:
        event.wall_time = now if wall_time is None else wall_time
        records.write(event.SerializeToString())
    if len(earlier) == 1 and earlier[0].read_bytes() == content.getvalue():
        return
    files.write(folder / _name(suffix), content.getvalue())
    for file in earlier:
        file.unlink(missing_ok=True)


def scalar(tag: str, value: float, step: int, wall_time: float = 0) -> Event:
    """A number at a step."""
    event = _event(Summary.Value(tag=readable(tag), simple_value=value), step)
    event.wall_time = wall_time
    return event


def text(tag: str, markdown: str) -> Event:
    """A text in Markdown."""
    return plugin(f"{tag}/text_summary", TEXT, markdown.encode())


def image(tag: str, picture: bytes, step: int = 0) -> Event:
    """A PNG file as an image."""
    width, height = (int.from_bytes(picture[place], "big") for place in SIZE)
    stored = Summary.Image(width=width, height=height, colorspace=3, encoded_image_string=picture)
    return _event(Summary.Value(tag=readable(tag), image=stored), step)


def plugin(tag: str, name: str, tensor: bytes, content: bytes = b"") -> Event:
    """An event for a TensorBoard plugin: a tensor of one string, and the plugin's content."""
    data = SummaryMetadata.PluginData(plugin_name=name, content=content)
    stored = TensorProto(dtype=DT_STRING, string_val=[tensor], tensor_shape=TensorShapeProto())
    metadata = SummaryMetadata(plugin_data=data)
    return _event(Summary.Value(tag=tag, metadata=metadata, tensor=stored))


def readable(tag: str) -> str:
    """A tag with only letters, digits and `_ - . + /`, which TensorBoard groups and shows."""
    return re.sub(r"[^\w.+/-]", "_", tag)


def _event(value: Summary.Value, step: int = 0) -> Event:
    return Event(step=step, summary=Summary(value=[value]))


def _name(suffix: str = "") -> str:
    """A unique file name, even for writers in the same directory and second."""
    return f"events.out.tfevents.{time.time():.6f}.{os.getpid()}.{uuid.uuid4().hex[:8]}{suffix}"
