"""The border response, where it is known."""

import json

import keras
import numpy as np
import pytest

from experiments.probes import border
from experiments.probes.shared.subject import NotApplicableError
from models import layers
from models.architectures import causal_conv1d
from models.bind import bind
from models.padding import Padding
from tests import subjects
from tests.experiments.probes.looked_at import alike, noise, state, subject, tiny_cnn, unchanged


def summed(padding, size=12, rank=2):
    """What a kernel of ones gives of a constant sequence or picture, as a response."""
    kind = layers.Conv2D if rank == 2 else layers.Conv1D
    conv = kind(2, 3, padding=Padding.of(padding), kernel_initializer="ones")
    return border.measure([np.asarray(conv(np.ones((3, *[size] * rank, 1), np.float32)))])


def test_known_answer_zeros_leave_two_thirds_at_the_sides_and_four_ninths_in_the_corners():
    found = summed("same")
    assert np.allclose(found.interior, 9) and np.allclose(found.sides, 9 * 2 / 3)
    ring = 9 * (4 * 10 * 6 / 9 + 4 * 4 / 9) / 44
    assert np.allclose(found.rings[0], ring) and np.allclose(found.rings[1:], 9)


@pytest.mark.parametrize("padding", ["partial", "valid", "circular", "reflect", "replicate"])
def test_nothing_is_left_of_a_constant_where_no_zeros_are_read(padding):
    found = summed(padding)
    assert np.allclose(found.rings, 9) and np.allclose(found.sides, 9)


def test_causal_zeros_are_before_the_start_alone():
    found = summed("causal", rank=1)
    start, end = found.sides
    assert np.allclose(start, 1) and np.allclose(end, 3) and np.allclose(found.interior, 3)


def test_a_response_is_in_sd_over_examples_and_interior_positions():
    x = noise(400, 12, 12, 1)
    x[:, 0, 1:-1] += 2.0
    found = border.measure([x[:100], x[100:]])
    z = found.in_sd(found.sides)[:, 0]
    assert z == pytest.approx([2, 0, 0, 0], abs=0.06)
    inner = x[:, 3:-3, 3:-3]
    assert found.sd[0] == pytest.approx(inner.std(), rel=1e-6)
    # Ten pixels of 400 examples are known to sd / sqrt(4000), and the interior somewhat better.
    assert found.errors[-4, 0] == pytest.approx(np.sqrt((1 / 6 + 1 / 36) / 400), rel=0.15)


def test_circular_responds_by_noise_alone_and_zeros_by_more():
    x = noise(256, 16, 16, 1)
    found = {}
    for padding in ("circular", "same"):
        keras.utils.set_random_seed(1)
        model = tiny_cnn(padding, batch_norm=False)
        found[padding] = border.probe(subject(model, x)).values["pictures"]
    for layer in ("stage1_conv1", "stage2_conv1"):
        assert found["circular"][layer]["distances"][0] < 3 * found["circular"][layer]["noise"]
        assert found["same"][layer]["distances"][0] > 10 * found["same"][layer]["noise"]
    assert found["same"]["stage1_conv1"]["distances"][1] < 0.1


def test_rolled_pictures_have_no_place():
    x = noise(300, 16, 16, 1)
    x[:, 4:12, 4:12] += 3
    measured = border.probe(subject(tiny_cnn("circular"), x))
    values = measured.values
    first = values["rolled"]["stage1_conv1"]["distances"][0]
    assert f"stage1_conv1 {first:.2f}" in measured.line and "input" not in measured.line
    assert values["pictures"]["input"]["distances"][0] > 1
    for layer in values["rolled"].values():
        assert layer["distances"][0] < 3 * layer["noise"]


def test_values_are_taken_before_a_relu_that_is_part_of_the_layer():
    """A bias that turns all values off leaves the response of the convolution as it is."""
    x = noise(64, 16, 16, 1)
    of = subjects.subject("unet", subjects.images("segmentation", (16, 16, 1)), depth=1, width=3)
    first = border.of_layers(of, ["down1_conv1"], x)["down1_conv1"]
    of.model.get_layer("down1_conv1").bias.assign([-100.0] * 3)
    off = border.of_layers(of, ["down1_conv1"], x)["down1_conv1"]
    assert off.in_sd(off.rings) == pytest.approx(first.in_sd(first.rings), abs=1e-3)


@pytest.mark.parametrize("padding", ["random", "full", "valid"])
def test_the_network_is_left_as_it_was_and_told_the_same_again(padding):
    keras.utils.set_random_seed(0)
    one = subject(tiny_cnn(padding), noise(20, 16, 16, 1))
    before = state(one.model)
    first, second = border.probe(one), border.probe(one)
    assert alike(first, second) and unchanged(before, state(one.model))
    json.dumps(first.values, allow_nan=False)
    assert first.picture.dtype == np.uint8 and first.picture.ndim == 3


def test_sequences_and_constant_channels():
    model = causal_conv1d.build(bind("causal"), (20, 1), 3, channels=4, levels=1)
    found = border.probe(subject(model, noise(50, 20, 1))).values["rolled"]
    sides = found["level1_conv2"]["sides"]
    assert sides["start"] > 5 * found["level1_conv2"]["noise"] and set(sides) == {"start", "end"}
    silent = border.probe(subject(model, np.zeros((5, 20, 1), np.float32)))
    assert silent.line == "first pixel, sd: nothing varies"
    assert silent.values["pictures"]["input"]["distances"] == [None] * 4
    json.dumps(silent.values, allow_nan=False)


def test_a_map_too_small_for_an_interior():
    with pytest.raises(NotApplicableError, match="at least 4"):
        border.probe(
            subject(tiny_cnn("same", size=3, widths=[4], convs_per_stage=[1]), noise(4, 3, 3, 1))
        )
