"""A class at every step: the last output is that of the last step, and only `same` looks ahead."""

import keras
import numpy as np
import pytest

import models
from models import DoesNotFitError, ModelError
from models.geometry.tracing.trace import final_map_size, trace
from models.padding import NAMED
from models.padding.supports import supports
from tests.helpers import thinned

STEPS, SCORED = 24, 8
ONE_AXIS = [name for name, padding in NAMED.items()
            if supports(padding.amount, padding.mode, "Conv1D") is None]  # fmt: skip


def net(padding="causal", scored_steps=SCORED, **kwargs):
    options = {"channels": 4, "levels": 2, "head": "steps", **kwargs}
    keras.utils.set_random_seed(0)
    return models.build(
        "causal_conv1d",
        input_shape=(STEPS, 2),
        num_classes=3,
        padding=padding,
        scored_steps=scored_steps,
        **options,
    )


def sequence(n=2):
    return np.random.default_rng(0).normal(size=(n, STEPS, 2)).astype("float32")


def reaches(padding, step):
    """Which input steps the output of a scored step depends on, by changing one at a time."""
    model, x = net(padding), np.abs(sequence(1))
    model.set_weights([np.abs(w) for w in model.get_weights()])  # no ReLU stands in the way
    changed = np.repeat(x, 1 + STEPS, axis=0)  # one batch: others may be rounded otherwise
    changed[1 + np.arange(STEPS), np.arange(STEPS)] += 3.0
    before, *after = np.asarray(model(changed))[:, step - STEPS]
    return np.flatnonzero(np.abs(np.array(after) - before).max(axis=1) > 1e-6).tolist()


@pytest.mark.parametrize("padding", thinned([*ONE_AXIS, {"amount": [[0, 3]], "mode": "zeros"}], 2))
def test_every_padding_scores_the_same_steps(padding):
    model = net(padding)
    assert model.output_shape == (None, SCORED, 3)
    assert model(sequence()).shape == (2, SCORED, 3)
    assert final_map_size(trace(model)) == (SCORED,)
    assert model.name == "causal_conv1d"


@pytest.mark.parametrize("padding", ["causal", "valid", "full"])
def test_no_output_sees_a_later_step(padding):
    """The receptive field is 13 steps: an output sees that of its own step and the 12 before."""
    assert reaches(padding, 23) == list(range(11, 24))
    assert reaches(padding, 17) == list(range(5, 18))


@pytest.mark.parametrize("padding", ["same", "half", "reflect", "input"])
def test_same_sees_six_steps_ahead_until_the_sequence_ends(padding):
    assert reaches(padding, 17) == list(range(11, 24))
    assert reaches(padding, 23) == list(range(17, 24))


def test_valid_and_full_are_causal_where_no_border_is_seen():
    expected = net("causal")(sequence())
    for padding in ("valid", "full"):
        model = net(padding)
        model.set_weights(net("causal").get_weights())
        np.testing.assert_allclose(model(sequence()), expected, atol=1e-5)


def test_initial_weights_do_not_depend_on_the_padding_or_the_scored_steps():
    base = net().get_weights()
    for other in (net("same"), net("valid"), net(scored_steps=3)):
        for a, b in zip(base, other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_logits_stay_float32_in_mixed_precision():
    """bfloat16 would round them to eight bits."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = net()
        whole = keras.Model(model.input, model.get_layer("logits").output)
        logits = np.asarray(model(sequence()))
        np.testing.assert_array_equal(logits, np.asarray(whole(sequence()))[:, -SCORED:])
    finally:
        keras.config.set_dtype_policy("float32")


def test_a_saved_model_comes_back(tmp_path):
    model = net("valid")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(sequence()), model(sequence()))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: net("valid", levels=3, kernel_size=2, scored_steps=12),
         "at 10 of 24 steps under this padding, and the last 12 .* smaller `kernel_size`"),
        (lambda: net("valid", levels=3), "sequence that works has 29 steps"),
        (lambda: net(scored_steps=25), "at 24 of 24 steps"),
        (lambda: net(scored_steps=None), "head='average' or head='last'"),
        (lambda: net(head="average"),
         "one for each of the last 8 steps .* name='causal_conv1d', head='steps'"),
        (lambda: models.build("small_cnn", input_shape=(32, 32, 1), num_classes=3, scored_steps=8),
         "head='steps'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_plain_line(make, says):
    with pytest.raises(DoesNotFitError, match=says) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_an_unknown_head_is_a_mistake():
    with pytest.raises(ModelError, match="must be 'last' or 'average' or 'steps'") as caught:
        net(head="step")
    assert not isinstance(caught.value, DoesNotFitError)
