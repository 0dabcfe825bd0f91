"""Everything every registered model must do, under every padding, without being asked."""

import keras
import numpy as np
import pytest

import models
from models import ModelError
from models.padding import NAMED, Padding
from models.padding.supports import LAYER_RANK, supports

# The smallest network that has every part of its architecture, and an input that survives valid.
SMALL = {
    "small_cnn": ((24, 26, 2), {"widths": (3, 4, 5)}),
    "vgg16": ((212, 214, 1), {"depth": 11, "width": 1 / 64}),
    "inception": ((20, 22, 2), {"modules": ("3a", "4a"), "width": 1 / 32, "dropout": 0.1}),
    "causal_conv1d": ((20, 2), {"channels": 4, "levels": 2, "dropout": 0.1}),
}


def small(name, **kwargs):
    shape, options = SMALL[name]
    return models.build(name, **{"input_shape": shape, "num_classes": 3, **options, **kwargs})


def fits(name, padding):
    layer = "Conv2D" if models.kind(name) == "image" else "Conv1D"
    assert layer in LAYER_RANK
    return supports(padding.amount, padding.mode, layer) is None


PAIRS = [
    (name, padding) for name in models.names() for padding in NAMED if fits(name, NAMED[padding])
]


def test_every_model_is_here():
    assert set(SMALL) == set(models.names())


def data(model, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(4, *model.input_shape[1:])).astype("float32")
    return x, np.array([0, 1, 2, 1])


@pytest.mark.parametrize(("name", "padding"), PAIRS)
def test_forward_backward_and_a_step(name, padding):
    model = small(name, padding=padding)
    x, y = data(model)
    logits = model(x)
    assert model.name == name
    assert logits.shape == (4, 3)
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    assert not np.allclose(np.asarray(logits).sum(-1), 1.0)
    assert_every_weight_gets_a_gradient(model, x)
    before = model.get_weights()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss, run_eagerly=True)
    assert np.isfinite(model.train_on_batch(x, y))
    pairs = zip(before, model.get_weights(), strict=True)
    assert any(not np.array_equal(a, b) for a, b in pairs)


def assert_every_weight_gets_a_gradient(model, x):
    """A weight that nothing depends on gets None from TensorFlow's tape, zeros from JAX."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            total = tf.reduce_sum(tf.square(model(x, training=True)))
        found = tape.gradient(total, [w.value for w in model.trainable_variables])
    else:
        import jax

        def total(weights):
            state = [w.value for w in model.non_trainable_variables]
            logits, _ = model.stateless_call(weights, state, x, training=True)
            return (logits**2).sum()

        found = jax.grad(total)([w.value for w in model.trainable_variables])
    gradients = [None if g is None else np.asarray(g) for g in found]
    missing = [
        w.path
        for w, g in zip(model.trainable_variables, gradients, strict=True)
        if g is None or not g.any()
    ]
    assert missing == []
    assert all(np.isfinite(g).all() for g in gradients)


@pytest.mark.parametrize("name", models.names())
def test_initial_weights_do_not_depend_on_the_padding(name):
    def initial(seed, **kwargs):
        """All weights but the border's own, which `learned` starts at zero."""
        keras.utils.set_random_seed(seed)
        weights = small(name, **kwargs).weights
        borders = [w for w in weights if w.path.endswith("/border")]
        assert bool(borders) == (kwargs.get("padding") == "learned")
        assert not any(np.asarray(w).any() for w in borders)
        return [np.asarray(w) for w in weights if not w.path.endswith("/border")]

    base = initial(3)
    pools = [{"padding": "reflect", "pools": "follow"}] * (name == "small_cnn")
    for kwargs in [{"padding": p} for p in NAMED if fits(name, NAMED[p])] + pools:
        for a, b in zip(base, initial(3, **kwargs), strict=True):
            assert np.array_equal(a, b)
    assert not all(np.array_equal(a, b) for a, b in zip(base, initial(4), strict=True))


@pytest.mark.parametrize("name", models.names())
@pytest.mark.parametrize("padding", ["same", "full", "circular"])
def test_saved_models_come_back_bit_for_bit(name, padding, tmp_path):
    model = small(name, padding=padding)
    x, _ = data(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert np.array_equal(loaded(x), model(x))
    assert loaded.name == name


@pytest.mark.parametrize("name", models.names())
def test_layers_are_named_and_carry_their_padding(name):
    layers = small(name).layers
    first, *others = [x for x in layers if getattr(x, "border", None) and "conv" in x.name]
    model = small(name, overrides={first.name: "reflect"})
    assert model.get_layer(first.name).border == NAMED["reflect"]
    assert model.get_layer(others[0].name).border == Padding()
    assert [layer.name for layer in small(name).layers] == [layer.name for layer in model.layers]


@pytest.mark.parametrize("name", models.names())
def test_logits_are_float32_in_mixed_precision(name):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = small(name, padding="reflect")
        assert model.get_layer("logits").dtype_policy.name == "float32"
        assert keras.backend.standardize_dtype(model(data(model)[0]).dtype) == "float32"
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("name", models.names())
def test_options_are_listed(name):
    assert set(SMALL[name][1]) <= set(models.options(name))


def image(name="small_cnn", shape=(28, 28, 1), **kwargs):
    return models.build(name, input_shape=shape, num_classes=10, **kwargs)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: image("smal_cnn"),
            r"did you mean small_cnn.*causal_conv1d, inception, small_cnn, vgg16",
        ),
        (lambda: models.kind("resnet"), "unknown model"),
        (lambda: image(width=3), r"did you mean widths"),
        (lambda: image(shape=(40, 1)), r"takes an image.*this data: causal_conv1d\."),
        (
            lambda: image("causal_conv1d"),
            r"takes a sequence.*this data: inception, small_cnn, vgg16\.",
        ),
        (lambda: image(padding="causal"), "one amount per axis"),
        (lambda: image(padding="reflct"), "did you mean reflect"),
        (lambda: image(pools="folow"), "'neutral' or 'follow'"),
        (lambda: image(head="mean"), "`head` of .* must be 'average' or '"),
        (
            lambda: image(overrides={"stem*": "valid", "stage1*": "same"}),
            r"called 'stem\*'\. Its padded layers: stage1_conv1, .*stage3_conv1\.",
        ),
    ],
)
def test_mistakes_are_one_plain_line(make, message):
    with pytest.raises(ModelError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("options", [{}, {"kernel_size": 5}, {"downsample": "stride"}])
def test_a_collapse_says_what_works(options):
    with pytest.raises(ModelError, match=r"layer '\w+'.*on axis 0.*data\.resize=\d+") as caught:
        image(shape=(9, 40, 1), padding="valid", **options)
    smallest = int(str(caught.value).split("data.resize=")[1].split(".")[0])
    image(shape=(smallest, smallest, 1), padding="valid", **options)
    with pytest.raises(ModelError, match=f"data.resize={smallest}"):
        image(shape=(smallest - 1, smallest - 1, 1), padding="valid", **options)


def test_a_collapsed_sequence_needs_a_length():
    with pytest.raises(ModelError, match=r"level3_conv1'.*sequence that works has 29 steps"):
        models.build("causal_conv1d", input_shape=(20, 1), num_classes=2, padding="valid")
    models.build("causal_conv1d", input_shape=(29, 1), num_classes=2, padding="valid")


def test_the_search_takes_no_random_numbers(monkeypatch):
    """Initialisers draw their seeds from Python's generator: a search must put it back."""

    def refuse_and_build():
        keras.utils.set_random_seed(0)
        with pytest.raises(ModelError, match="collapses"):
            small("small_cnn", input_shape=(9, 9, 1), padding="valid")
        return small("small_cnn").get_weights()

    searched = refuse_and_build()
    monkeypatch.setattr("models.sizing.smallest_size", lambda make, largest: 24)
    for a, b in zip(searched, refuse_and_build(), strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("name", models.names())
@pytest.mark.parametrize("mode", ["reflect", "symmetric", "replicate", "circular", "constant"])
def test_graphs_compute_what_eager_calls_do(name, mode):
    model = small(name, padding={"amount": "full", "mode": mode})
    x, _ = data(model)
    np.testing.assert_allclose(model.predict(x, verbose=0), model(x), atol=1e-5)
