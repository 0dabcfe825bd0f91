"""Event files as such: how they grow, and how they are replaced."""

import logging

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from experiments.run.record import event_files
from experiments.run.record.event_files import EventFile, scalar, text


def read_back(folder):
    logging.getLogger("tensorboard").setLevel(logging.ERROR)
    return EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()


def test_a_file_can_be_read_while_it_grows(tmp_path):
    file = EventFile(tmp_path)
    file.add(scalar("loss", 2.0, 1, wall_time=100.0))
    assert [(p.step, p.value) for p in read_back(tmp_path).Scalars("loss")] == [(1, 2.0)]
    file.add(scalar("loss", 1.0, 2), text("said", "*words*"))
    file.close()
    events = read_back(tmp_path)
    first, second = events.Scalars("loss")
    assert (first.wall_time, second.step) == (100.0, 2)
    assert second.wall_time > 1e9  # now
    assert events.Tensors("said/text_summary")[0].tensor_proto.string_val[0] == b"*words*"


def test_two_writers_of_one_moment_do_not_meet(tmp_path):
    for value in (1.0, 2.0):
        file = EventFile(tmp_path)
        file.add(scalar(f"of_{value:g}", value, 0))
        file.close()
    assert len(list(tmp_path.iterdir())) == 2


def test_tags_are_made_of_what_tensorboard_shows():
    event = scalar("test/accuracy_at_margin/below -4", 0.5, 1)
    assert event.summary.value[0].tag == "test/accuracy_at_margin/below_-4"


def test_the_events_before_stay_until_the_new_ones_are_there(tmp_path, monkeypatch):
    event_files.replace(tmp_path, [])
    (before,) = tmp_path.iterdir()

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(event_files.files, "write", full)
    with pytest.raises(OSError, match="no space"):
        event_files.replace(tmp_path, [])
    assert list(tmp_path.iterdir()) == [before]
