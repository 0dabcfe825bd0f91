"""The event files, read back as TensorBoard reads them."""

import csv
import json
import logging

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from data.tasks import TASKS
from experiments.run.record.board import TEST_ACCURACY, scalars, table
from experiments.run.record.directory import Run
from tests.helpers import only_run

SCALARS = scalars(TASKS["classification"])


def read_back(directory):
    logging.getLogger("tensorboard").setLevel(logging.ERROR)
    events = EventAccumulator(
        str(directory), size_guidance={"scalars": 0, "tensors": 0, "images": 0}
    )
    return events.Reload()


def test_scalars_are_the_metrics_epoch_by_epoch(finished):
    events = read_back(finished)
    with open(finished / "metrics.csv") as file:
        metrics = list(csv.DictReader(file))
    results = json.loads((finished / "results.json").read_text())
    assert set(SCALARS) | {TEST_ACCURACY} <= set(events.Tags()["scalars"])
    for tag, column in SCALARS.items():
        assert [point.step for point in events.Scalars(tag)] == [1, 2]
        values = [point.value for point in events.Scalars(tag)]
        assert values == pytest.approx([float(row[column]) for row in metrics], rel=1e-5)
        assert ("validation" in tag) == ("validation" in column)
    (test,) = events.Scalars(TEST_ACCURACY)
    assert test.value == pytest.approx(results["test_accuracy"])
    assert test.step == 2


def test_hparams_name_the_factors_and_group_the_seeds_of_a_cell(finished):
    content = {
        tag: HParamsPluginData.FromString(data)
        for tag, data in read_back(finished).PluginTagToContent(metadata.PLUGIN_NAME).items()
    }
    start = content[metadata.SESSION_START_INFO_TAG].session_start_info
    assert start.group_name == finished.parent.name
    assert start.hparams["amount"].string_value == "same"
    assert start.hparams["mode"].string_value == "zeros"
    assert start.hparams["model"].string_value == "small_cnn"
    assert "seed" not in start.hparams
    assert sorted(start.hparams)[:5] == ["amount", "data", "mode", "model", "padding"]
    end = content[metadata.SESSION_END_INFO_TAG].session_end_info
    assert end.status == 1  # STATUS_SUCCESS


def test_graph_texts_and_picture_are_there(finished):
    events = read_back(finished)
    tensors = events.Tags()["tensors"]
    texts = {f"{name}/text_summary" for name in ("config", "geometry", "geometry/findings")}
    assert {"keras", *texts} <= set(tensors)
    assert events.PluginTagToContent("graph_keras_model") == {"keras": b"1"}
    graph = json.loads(events.Tensors("keras")[0].tensor_proto.string_val[0])
    assert graph["class_name"] == "Functional"
    nodes = {node.name for node in events.Graph().node}
    assert "small_cnn/stage1_conv1" in nodes
    geometry = events.Tensors("geometry/text_summary")[0].tensor_proto.string_val[0].decode()
    assert "| stage1\\_conv1 |" in geometry
    assert "mean_activation" in events.Tags()["images"]


@pytest.mark.full
def test_a_resumed_run_has_every_step_once(tiny, monkeypatch):
    def stop(self, history):
        if len(history) == 2:
            raise KeyboardInterrupt
        original(self, history)

    original = Run.write_metrics
    with monkeypatch.context() as patch:
        patch.setattr(Run, "write_metrics", stop)
        tiny("trainer.epochs=3")
    tiny("trainer.epochs=3")
    events = read_back(only_run())
    for tag in SCALARS:
        assert [point.step for point in events.Scalars(tag)] == [1, 2, 3]


def test_a_failed_run_is_marked_as_failed(tiny):
    tiny("optimizer=sgd", "schedule=constant", "optimizer.learning_rate=1e30")
    content = read_back(only_run()).PluginTagToContent(metadata.PLUGIN_NAME)
    end = HParamsPluginData.FromString(content[metadata.SESSION_END_INFO_TAG])
    assert end.session_end_info.status == 2  # STATUS_FAILURE


def test_a_table_is_markdown():
    text = table([{"name": "conv", "pad": ((1, 1), (0, 2)), "macs": 12345, "size": ()}])
    assert text.splitlines() == [
        "| name | pad | macs | size |",
        "|---|---|---|---|",
        "| conv | (1, 1) (0, 2) | 12,345 | – |",
    ]
