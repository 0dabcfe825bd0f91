"""A padded layer's life in Keras: policies, compilers, models, files."""

import keras
import numpy as np
import pytest

from models import layers
from models.bind import bind
from models.padding import MODES, Padding, PaddingError
from models.padding.supports import LAYER_RANK, supports
from tests.helpers import full, thinned

# One mode for each formulation: native, pattern, joined on, by planes, computed, and drawn.
FORMS = (
    "zeros", "constant", "circular", "odd_reflect", "spherical", "mean", "partial", "random",
    "learned",
)  # fmt: skip
LAYERS = [name for name in LAYER_RANK if not name.startswith("PadInput")]
BORDERS = [
    (layer, mode) for layer in LAYERS for mode in FORMS if not supports("same", mode, layer)
] + [(layer, ("reflect", "constant")) for layer in ("Conv2D", "DepthwiseConv2D", "SeparableConv2D")]


def picture(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def shape_of(layer):
    return (7, 4) if LAYER_RANK[layer] == 1 else (7, 6, 4)


def make(layer, mode, amount="half", **kwargs):
    value = 0.5 if "constant" in mode else 0.0
    filters = () if layer.startswith(("Depthwise", "Max", "Average")) else (4,)
    if "Pooling" in layer:
        kwargs = {"count_include_pad": mode != "partial", "strides": 1, **kwargs}
    kwargs.setdefault("name", "padded")
    return getattr(layers, layer)(*filters, 3, padding=Padding(amount, mode, value), **kwargs)


def filled(model):
    model.set_weights([picture(*w.shape, seed=i) for i, w in enumerate(model.get_weights())])
    return model


@pytest.mark.parametrize(("layer", "mode"), thinned(BORDERS, 6))
def test_models_files_and_eager_calls_agree(layer, mode, tmp_path):
    inputs = keras.Input(shape_of(layer))
    padded = make(layer, mode)
    functional = filled(keras.Model(inputs, padded(inputs)))
    sequential = keras.Sequential([keras.Input(shape_of(layer)), make(layer, mode)])
    sequential.set_weights(functional.get_weights())
    x = picture(3, *shape_of(layer))
    eager = np.asarray(padded(x))
    assert functional.output_shape == (None, *eager.shape[1:])
    np.testing.assert_allclose(functional.predict(x, verbose=0), eager, atol=1e-5)
    assert np.array_equal(sequential(x), eager)
    functional.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert np.array_equal(loaded(x), eager)
    again = loaded.get_layer("padded")
    assert again.get_config() == padded.get_config()
    assert again.border == padded.border == Padding.of(padded.get_config()["padding"])
    functional.save_weights(tmp_path / "model.weights.h5")
    sequential = keras.Sequential([keras.Input(shape_of(layer)), make(layer, mode)])
    fresh = keras.Model(inputs := keras.Input(shape_of(layer)), make(layer, mode)(inputs))
    fresh.load_weights(tmp_path / "model.weights.h5")
    assert np.array_equal(fresh(x), eager)


@pytest.mark.parametrize(("layer", "mode"), thinned(BORDERS, 14))
def test_compiled_training_steps_do_what_eager_ones_do(layer, mode):
    """XLA draws other noise than TensorFlow's own kernels, but the same from the same seed."""
    x = picture(4, *shape_of(layer))
    after = []
    eagerly = {"run_eagerly": True, "jit_compile": False}
    for compiled in ({"jit_compile": True} if mode == "random" else eagerly, {"jit_compile": True}):
        inputs = keras.Input(shape_of(layer))
        scale = keras.layers.Dense(1, name="scale", kernel_initializer="ones")
        model = filled(keras.Model(inputs, scale(make(layer, mode)(inputs))))
        model.compile(keras.optimizers.SGD(0.01), "mse", **compiled)
        losses = [model.train_on_batch(x, np.zeros((4, *model.output_shape[1:]))) for _ in range(2)]
        after.append([np.array(losses), *model.get_weights()])
    for a, b in zip(*after, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", full("mixed_float16")])
@pytest.mark.parametrize(("layer", "mode"), thinned(BORDERS, 3))
def test_mixed_precision(layer, mode, policy):
    low, full = make(layer, mode, dtype=policy), make(layer, mode)
    x = picture(2, *shape_of(layer))
    low.build(x.shape)
    full.build(x.shape)
    full.set_weights([picture(*w.shape, seed=i) for i, w in enumerate(full.get_weights())])
    low.set_weights(full.get_weights())
    y, expected = low(x), np.asarray(full(x))
    assert keras.backend.standardize_dtype(y.dtype) == policy.removeprefix("mixed_")
    assert all(w.dtype == "float32" for w in low.weights)
    y = np.asarray(keras.ops.cast(y, "float32"))
    assert np.abs(y - expected).max() < 0.06 * np.abs(expected).max()
    trained = low(x, training=True) if mode == "random" else y
    assert np.isfinite(np.asarray(keras.ops.cast(trained, "float32"))).all()


@pytest.mark.parametrize("layer", [name for name in LAYERS if name != "WeightNormConv1D"])
def test_weights_are_those_of_the_plain_layer(layer):
    theirs_kind = getattr(keras.layers, layer)
    x = picture(2, *shape_of(layer))
    filters = () if layer.startswith(("Depthwise", "Max", "Average")) else (4,)
    theirs = theirs_kind(*filters, 3, padding="valid")
    theirs(x)
    for mode in [m for m in MODES if not supports("same", m, layer)]:
        ours = make(layer, mode)
        ours.build(x.shape)
        borders = ours.get_weights()[len(theirs.weights) :]
        assert len(borders) == (mode == "learned")
        names = [w.path.split("/")[-1] for w in theirs.weights]
        assert [w.path.split("/")[-1] for w in ours.weights][: len(names)] == names
        ours.set_weights([*theirs.get_weights(), *borders])
        theirs.set_weights(ours.get_weights()[: len(theirs.weights)])


CONVOLUTIONS = [name for name in LAYERS if "Pooling" not in name and name != "WeightNormConv1D"]


@pytest.mark.parametrize("layer", thinned(CONVOLUTIONS, 2))
@pytest.mark.parametrize(("k", "s"), [(3, 1), (4, 1), (3, 2), (5, 3)])
def test_same_and_zeros_are_keras_bit_for_bit(layer, k, s):
    x = picture(2, *shape_of(layer))
    filters = () if layer.startswith("Depthwise") else (4,)
    args = {"strides": s, "activation": "relu"}
    theirs = getattr(keras.layers, layer)(*filters, k, padding="same", **args)
    expected = np.asarray(theirs(x))
    for padding in ("same", "SAME", Padding(), Padding("same", "zeros")):
        ours = getattr(layers, layer)(*filters, k, padding=padding, **args)
        ours.build(x.shape)
        ours.set_weights(theirs.get_weights())
        assert np.array_equal(ours(x), expected)
    bound = getattr(bind("same"), layer)(*filters, k, name="bound", **args)
    bound.build(x.shape)
    bound.set_weights(theirs.get_weights())
    assert np.array_equal(bound(x), expected)


@pytest.mark.full
@pytest.mark.parametrize(
    ("layer", "mode"),
    [
        full(layer, mode) if layer in ("DepthwiseConv2D", "SeparableConv2D") else (layer, mode)
        for layer in ("Conv1D", "Conv2D", "DepthwiseConv2D", "SeparableConv2D")
        for mode in MODES
        if supports("half", mode, layer) is None
    ],
)
def test_unknown_sizes_work_or_are_refused(layer, mode):
    rank = LAYER_RANK[layer]
    open_ = keras.Input((None,) * rank + (4,))
    padded = make(layer, mode)
    if MODES[mode].needs_size:
        with pytest.raises(PaddingError, match=f"Mode '{mode}' needs a known size on every axis"):
            padded(open_)
        return
    model = filled(keras.Model(open_, padded(open_)))
    for size in (4, 7):
        x = picture(2, *(size, size + 1)[:rank], 4)
        known = make(layer, mode)
        known.build(x.shape)
        known.set_weights(model.get_weights())
        np.testing.assert_allclose(model.predict(x, verbose=0), known(x), atol=1e-5)
    for amount in ("same", "even_split"):
        with pytest.raises(PaddingError, match="need a known size where strides > 1"):
            make(layer, "mean", amount, strides=2)(open_)


@pytest.mark.parametrize("layer", ["Conv1D", "Conv2D"])
def test_adapters_are_saved_but_not_beside_a_learned_border(layer, tmp_path):
    inputs = keras.Input(shape_of(layer))
    model = filled(keras.Model(inputs, make(layer, "mean")(inputs)))
    model.get_layer("padded").enable_lora(2)
    filled(model)
    x = picture(1, *shape_of(layer))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(loaded(x), model(x), atol=1e-4)
    learned = make(layer, "learned")
    learned.build((None, *shape_of(layer)))
    with pytest.raises(ValueError, match="Layer 'padded' takes no LoRA: its border is learned"):
        learned.enable_lora(2)
