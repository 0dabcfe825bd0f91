"""Runs under paddings that draw, learn, differ by axis or belong to the input."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

import models
import models.layers
from experiments.run.record.directory import Run
from models.padding import Padding
from models.padding.supports import LAYER_RANK
from tests.helpers import full, only_run


def accuracy(run):
    return json.loads((run / "results.json").read_text())["test_accuracy"]


def weights(run):
    model = keras.saving.load_model(run / "model.keras", compile=False)
    return [np.asarray(weight) for weight in model.weights]


@pytest.mark.slow
def test_the_noise_of_random_goes_on_where_it_was_interrupted(tiny, monkeypatch):
    tiny("padding=random", "study=whole")
    (whole,) = Path("runs/whole").glob("*/seed=0")
    write = Run.write_metrics

    def interrupted(self, history):
        if len(history) == 1:
            raise KeyboardInterrupt
        write(self, history)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "write_metrics", interrupted)
        assert tiny("padding=random", "study=broken").code == 130
    assert tiny("padding=random", "study=broken").code == 0
    (broken,) = Path("runs/broken").glob("*/seed=0")
    for one, other in zip(weights(whole), weights(broken), strict=True):
        np.testing.assert_array_equal(one, other)
    tiny("padding=random", "seeds.padding=9", "study=other")
    (other,) = Path("runs/other").glob("*/seed=0")
    same = [np.array_equal(a, b) for a, b in zip(weights(whole), weights(other), strict=True)]
    assert not all(same)


@pytest.mark.full
def test_a_learned_border_is_measured_again_as_it_was(tiny, program):
    assert tiny("padding=learned").code == 0
    run = only_run()
    assert sum(weight.shape == (1,) and weight.any() for weight in weights(run)) == 1
    outcome = program(f"evaluate={run}")
    assert (outcome.code, outcome.err) == (0, "")
    (found,) = (run / "evaluations").iterdir()
    assert json.loads(found.read_text())["test_accuracy"] == accuracy(run)


@pytest.mark.full
@pytest.mark.parametrize(
    ("padding", "amount", "mode"),
    [("latitude_longitude", "same", "replicate_circular"), full("input", "input", "zeros")],
)
def test_tensorboard_has_a_paddings_factors_in_words(tiny, padding, amount, mode):
    assert tiny(f"padding={padding}").code == 0
    run = only_run()
    assert run.parent.name.startswith(f"small_cnn-{padding}-")
    content = EventAccumulator(str(run)).Reload().PluginTagToContent(metadata.PLUGIN_NAME)
    start = HParamsPluginData.FromString(content[metadata.SESSION_START_INFO_TAG])
    values = start.session_start_info.hparams
    found = [values[name].string_value for name in ("padding", "amount", "mode")]
    assert found == [padding, amount, mode]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [("xyz", "matches no layer; layers: stage1_conv1"), ("*", "leaves nothing to train")],
)
def test_a_freeze_that_cannot_be_meant_is_refused_before_anything_is_written(
    tiny, pattern, message
):
    outcome = tiny(f"trainer.freeze={pattern}")
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: trainer.freeze={pattern} {message}")
    assert outcome.err.count("\n") == 1
    assert not Path("runs").exists()


@pytest.mark.parametrize("layer", LAYER_RANK)
def test_every_layer_is_registered_by_the_import_that_evaluation_makes(layer):
    kind = keras.saving.get_registered_object(f"padzoo>{layer}")
    assert kind.__name__ == layer
    assert kind is getattr(models.layers, layer)


def test_an_override_under_input_replaces_fields_of_the_padding_that_was_asked_for():
    network = models.build(
        "small_cnn",
        input_shape=(32, 32, 1),
        num_classes=10,
        padding=Padding("input", "reflect"),
        overrides={"stage1_conv1": {"amount": "same"}},
    )
    assert network.get_layer("stage1_conv1").border == Padding("same", "reflect")
    around = network.get_layer("pad_input")
    assert around.border.mode == "reflect"
    assert [before for before, _ in around.widths] == [9, 9]  # one less: stage1_conv1 has its own
