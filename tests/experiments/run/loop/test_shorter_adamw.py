"""AdamW by fewer operations: Keras' numbers to the bit, and still Keras' AdamW."""

import json

import keras
import numpy as np
import pytest

import models
from conf.schema import TrainerConfig
from experiments.run import framework
from experiments.run.loop import checkpoint, optimizers, training
from tests.helpers import full, slow

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="is about TensorFlow"
)
STEPS = 30  # enough for the schedule's two phases, and for every option to act


def schedule():
    return keras.optimizers.schedules.CosineDecay(
        0.0, STEPS, alpha=0.1, warmup_target=0.03, warmup_steps=10
    )


def compiled(shortened, precision="float32", **options):
    """A small network, as train.py compiles it or with Keras' own AdamW."""
    framework.fresh(precision=precision, seed=0)
    model = models.build(
        "small_cnn", input_shape=(7, 7, 1), num_classes=3, **models.registry.tiny("small_cnn")
    )
    adamw = keras.optimizers.AdamW(**{"learning_rate": schedule(), "weight_decay": 0.1, **options})
    adamw.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
    if shortened:
        training.compile_model(model, adamw, TrainerConfig(jit=False))
    else:
        model.compile(
            adamw, keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False
        )
        model.optimizer.build(model.trainable_variables)
    return model


def fit(model, steps=STEPS):
    random = np.random.default_rng(0)
    x = random.standard_normal((4 * steps, 7, 7, 1), dtype="float32")
    y = random.integers(0, 3, 4 * steps)
    model.fit(x, y, batch_size=4, shuffle=False, verbose=0)
    return [np.asarray(v).tobytes() for v in framework.variables(model)]


@pytest.mark.parametrize(
    ("steps", "options"),
    [
        (300, {}),
        (STEPS, {"learning_rate": 0.01, "epsilon": 1e-3, "beta_1": 0.8, "clipnorm": 0.5}),
        full(STEPS, {"weight_decay": 0.0, "global_clipnorm": 0.5, "use_ema": True}),
        full(STEPS, {"clipvalue": 0.01, "gradient_accumulation_steps": 3}),
        full(STEPS, {"loss_scale_factor": 64.0, "beta_2": 0.95}),
        slow(STEPS, {"precision": "mixed_float16"}),
    ],
    ids=str,
)
def test_the_numbers_are_those_of_keras(steps, options):
    assert fit(compiled(True, **options), steps) == fit(compiled(False, **options), steps)


def test_a_training_is_resumed_by_either(tmp_path):
    begun = compiled(True)
    fit(begun)
    checkpoint.save(tmp_path / "state.npz", begun, {})
    expected = fit(begun)
    for shortened in (True, False):
        resumed = compiled(shortened)
        checkpoint.restore(tmp_path / "state.npz", resumed)
        assert fit(resumed) == expected


def test_it_is_saved_as_keras_own(tmp_path):
    # Without a decay, from which Keras forgets in a file what is left out.
    found, expected = (compiled(shortened, weight_decay=0.0) for shortened in (True, False))
    written = [keras.saving.serialize_keras_object(m.optimizer) for m in (found, expected)]
    assert json.dumps(written[0]) == json.dumps(written[1])
    fit(found, steps=3)
    found.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.optimizer) is keras.optimizers.AdamW
    assert "_backend_update_step" not in vars(loaded.optimizer)
    assert fit(loaded, steps=3) == fit(found, steps=3)


@pytest.mark.parametrize(
    "optimizer", [keras.optimizers.SGD(), keras.optimizers.AdamW(amsgrad=True)]
)
def test_others_are_left_as_they_are(optimizer):
    optimizers.shorten(optimizer)
    assert "_backend_update_step" not in vars(optimizer)


def test_fewer_operations():
    import tensorflow as tf

    def operations(model):
        gradients = [tf.zeros(v.shape) for v in model.trainable_variables]
        apply = tf.function(lambda: model.optimizer.apply(gradients, model.trainable_variables))
        return len(apply.get_concrete_function().graph.get_operations())

    assert operations(compiled(True)) < 0.5 * operations(compiled(False))


def test_with_xla_it_is_keras_own():
    model = compiled(False)
    training.compile_model(model, keras.optimizers.AdamW(), TrainerConfig(jit=True))
    assert "_backend_update_step" not in vars(model.optimizer)
