"""Saliency at the border, where it is known."""

import json

import keras
import numpy as np
import pytest

from data.tasks import RECONSTRUCTION, SEGMENTATION, SUPER_RESOLUTION
from experiments.probes import saliency
from experiments.probes.shared.subject import NotApplicableError
from models import layers
from models.architectures import causal_conv1d
from models.bind import bind
from models.padding import Padding
from tests import subjects
from tests.experiments.probes.looked_at import alike, noise, state, subject, tiny_cnn, unchanged


def pooled(*between, size=9, channels=2):
    """A network of these layers, a global mean and logits that read it."""
    x = inputs = keras.Input((size, size, channels))
    for layer in between:
        x = layer(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(3)(x))


def test_known_answer_a_linear_network_looks_everywhere_alike():
    measured = saliency.probe(subject(pooled(), noise(40, 9, 9, 2)))
    values = measured.values
    assert measured.line == "outermost pixels 1.00 times the mean   n = 40"
    assert values["ratio"] == [1.0] * 4 and values["se"] == [0.0] * 4 and values["n"] == 40
    assert values["sides"] == dict.fromkeys(("top", "bottom", "left", "right"), 1.0)


def test_under_valid_a_pixel_counts_as_often_as_windows_read_it():
    conv = layers.Conv2D(1, 3, padding="valid", kernel_initializer="ones", name="conv")
    measured = saliency.probe(subject(pooled(conv), noise(5, 9, 9, 2)))
    axis = np.array([1, 2, 3, 3, 3, 3, 3, 2, 1])
    paths = np.outer(axis, axis)
    assert measured.maps["mean"] * paths.mean() == pytest.approx(paths, rel=1e-5)
    rings = [(4 * 1 + 8 * 2 + 20 * 3) / 32, (4 * 4 + 20 * 6) / 24, 9, 9]
    assert measured.values["ratio"] == pytest.approx(np.array(rings) / paths.mean(), rel=1e-5)


def test_it_is_the_derivative_of_the_true_class():
    conv = layers.Conv2D(4, 3, padding=Padding.of("reflect"), activation="tanh")
    model = pooled(conv, channels=1)
    x, y = noise(4, 9, 9, 1), np.array([0, 2, 1, 2])
    found, step = saliency.saliency(model, x, y), np.zeros_like(x)
    step[:, 0, 5] = 1e-2
    told = [np.asarray(model(x + sign * step))[np.arange(4), y] for sign in (1, -1)]
    slope = np.abs(told[0] - told[1]) / 2e-2
    assert found[:, 0, 5] == pytest.approx(slope, rel=0.02, abs=1e-5)


def test_the_greatest_channel_counts():
    head = keras.layers.Dense(1, kernel_initializer="ones", bias_initializer="zeros")
    inputs = keras.Input((4, 2))
    scaled = keras.layers.Multiply()([inputs, np.tile([[[1.0, -3.0]]], (1, 4, 1))])
    out = head(keras.layers.Flatten()(scaled))
    model = keras.Model(inputs, out)
    assert saliency.saliency(model, noise(2, 4, 2), np.zeros(2, int)) == pytest.approx(3)


@pytest.mark.parametrize("padding", ["random", "learned"])
def test_the_network_is_left_as_it_was_and_told_the_same_again(padding):
    keras.utils.set_random_seed(0)
    one = subject(tiny_cnn(padding), noise(20, 16, 16, 1))
    before = state(one.model)
    first, second = saliency.probe(one), saliency.probe(one)
    assert alike(first, second) and unchanged(before, state(one.model))
    json.dumps(first.values, allow_nan=False)
    assert first.picture.dtype == np.uint8


def test_sequences_have_a_start_and_an_end():
    model = causal_conv1d.build(bind("causal"), (20, 1), 3, channels=8, levels=1)
    found = saliency.probe(subject(model, noise(50, 20, 1))).values["sides"]
    assert found["end"] < found["start"]  # the last step is seen by the last outputs alone


def test_an_answer_at_every_step_has_no_one_saliency():
    model = causal_conv1d.build(bind("causal"), (20, 1), 3, levels=1, head="steps")
    with pytest.raises(NotApplicableError, match="one prediction"):
        saliency.probe(subject(model, noise(4, 20, 1)))


def test_an_answer_that_nothing_moves_has_none():
    model = pooled()
    model.layers[-1].set_weights([np.zeros((2, 3)), np.zeros(3)])
    with pytest.raises(NotApplicableError, match="no input changes"):
        saliency.probe(subject(model, noise(4, 9, 9, 2)))


def test_an_example_that_moves_nothing_is_not_counted():
    conv = keras.layers.Conv2D(2, 3, kernel_initializer="ones", activation="relu")
    x = noise(6, 9, 9, 2)
    x[:2] = -1
    measured = saliency.probe(subject(pooled(conv), x))
    assert measured.values["n"] == 4
    json.dumps(measured.values, allow_nan=False)


@pytest.mark.parametrize("task", [RECONSTRUCTION, SUPER_RESOLUTION])
def test_the_sum_of_a_circular_linear_networks_picture_depends_on_all_pixels_alike(task):
    factor = 2 if task == SUPER_RESOLUTION else 1
    x = inputs = keras.Input((9, 9, 2))
    for filters in (3, 2 * factor**2):
        x = layers.Conv2D(filters, 3, padding=Padding.of("circular"))(x)
    model = keras.Model(inputs, layers.DepthToSpace(factor)(x) if factor > 1 else x)
    loaded = subjects.images(task, (9, 9, 2), factor=factor)
    found = saliency.probe(subjects.of(model, loaded, task=task)).values
    assert found["ratio"] == pytest.approx([1.0] * 4, rel=1e-4)
    zeros = subjects.subject("unet", loaded, "same", task, depth=1) if factor == 1 else None
    if zeros is not None:
        assert saliency.probe(zeros).values["ratio"][0] < 0.9


def test_of_a_mask_the_logits_of_the_true_classes_count_where_there_is_one():
    inputs = keras.Input((6, 6, 1))
    model = keras.Model(inputs, inputs * np.array([1.0, 10.0], np.float32))
    loaded = subjects.images(SEGMENTATION, (6, 6, 1), n=3, classes=2)
    labels = loaded.test.y
    found = saliency.saliency(model, loaded.test.x, labels)
    assert found == pytest.approx(np.where(labels < 0, 0, np.where(labels == 1, 10, 1)))


def test_what_valid_leaves_of_a_mask_is_asked_for():
    loaded = subjects.images(SEGMENTATION, (20, 20, 1), n=4)
    of = subjects.subject("unet", loaded, "valid", SEGMENTATION, depth=1, width=2)
    measured = saliency.probe(of)
    assert measured.values["n"] == 4
    assert measured.values["ratio"][0] < 1
