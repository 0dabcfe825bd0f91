import itertools

import keras
import numpy as np
import pytest

from models.layers import CollapseError, Conv1D, Conv2D, WeightNormConv1D
from models.padding import Padding, PaddingError
from tests.models.layers import oracle
from tests.models.layers.oracle import AXIS_MODES

MODES = tuple(mode for mode in AXIS_MODES if mode != "odd_reflect")


def picture(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def twin(kind, *args, **kwargs):
    """Return a layer of ours and Keras' own, with one set of weights."""
    return kind(*args, **kwargs), getattr(keras.layers, kind.__name__)(*args, **kwargs)


@pytest.mark.parametrize("k", range(1, 6))
@pytest.mark.parametrize(("strides", "dilation"), [(1, 1), (2, 1), (3, 1), (1, 2)])
def test_strings_and_same_zeros_are_keras_bit_for_bit(k, strides, dilation):
    for kind, shape in [(Conv1D, (2, 11, 3)), (Conv2D, (1, 9, 12, 2))]:
        for padding in ["valid", "same", "SAME"] + ["causal"] * (kind is Conv1D):
            args = {"strides": strides, "dilation_rate": dilation, "activation": "relu"}
            ours, theirs = twin(kind, 4, k, padding=padding, **args)
            amount = Padding(padding.lower(), "zeros")
            spelled = kind(4, k, padding=amount, **args)
            x = picture(*shape)
            for layer in (ours, theirs, spelled):
                layer.build(x.shape)
            assert [w.path.split("/")[-1] for w in ours.weights] == ["kernel", "bias"]
            theirs.bias.assign(picture(4))
            ours.set_weights(theirs.get_weights())
            spelled.set_weights(theirs.get_weights())
            expected = np.asarray(theirs(x))
            assert np.array_equal(ours(x), expected)
            assert np.array_equal(spelled(x), expected)
            assert (ours.border, ours.padding) == (amount, padding.lower())


def test_tensorflow_same_equals_our_arithmetic():
    for size, k, s in itertools.product(range(1, 9), range(1, 6), (1, 2, 3)):
        native = Conv1D(1, k, s, padding="same", kernel_initializer="ones")
        widths = native.border.widths((size,), (k,), (s,), (1,))
        explicit = Conv1D(1, k, s, padding=Padding(widths), kernel_initializer="ones")
        x = picture(1, size, 1)
        np.testing.assert_allclose(native(x), explicit(x), atol=1e-5)


def test_dumoulin_and_visin_value_grids():
    x = [[3, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]]
    kernel = np.array([[0, 1, 2], [2, 2, 0], [0, 1, 2]], "float32")[:, :, None, None]
    x = np.array(x, "float32")[None, :, :, None]

    def grid(**kwargs):
        layer = Conv2D(1, 3, use_bias=False, **kwargs)
        layer.build(x.shape)
        layer.set_weights([kernel])
        return np.asarray(layer(x))[0, :, :, 0].tolist()

    assert grid(padding="valid") == [[12, 12, 17], [10, 17, 19], [9, 6, 14]]
    assert grid(padding=Padding(1), strides=2) == [[6, 17, 3], [8, 17, 13], [6, 4, 4]]


def shape_of(i, k, s=1, p=0, d=1):
    """Return Keras' own output size for a map padded by hand; ours must agree."""
    theirs = keras.layers.Conv1D(1, k, s, dilation_rate=d).compute_output_shape((1, i + 2 * p, 1))
    if k > 1:  # an int pads only where the kernel is larger than one pixel
        ours = Conv1D(1, k, s, Padding(p), dilation_rate=d)
        assert ours.compute_output_shape((1, i, 1)) == theirs
    return theirs[1]


@pytest.mark.parametrize("k", range(1, 6))
def test_dumoulin_and_visin_relations(k):
    for i, p in itertools.product(range(k, k + 5), range(4)):
        assert shape_of(i, k) == (i - k) + 1  # 1
        assert shape_of(i, k, p=p) == (i - k) + 2 * p + 1  # 2
        if k % 2:
            assert shape_of(i, k, p=k // 2) == i  # 3
        assert shape_of(i, k, p=k - 1) == i + (k - 1)  # 4
        for s in (2, 3):
            assert shape_of(i, k, s) == (i - k) // s + 1  # 5
            assert shape_of(i, k, s, p) == (i + 2 * p - k) // s + 1  # 6
        wide = i + (k - 1)  # room for the dilated kernel
        expected = wide + 2 * p - k - (k - 1) * (2 - 1) + 1
        assert shape_of(wide, k, 1, p, 2) == expected  # 15
    assert shape_of(5, 3, 2, 1) == shape_of(6, 3, 2, 1) == 3
    pool = keras.layers.MaxPooling1D(3, 1)
    assert pool.compute_output_shape((1, 5, 1))[1] == 3  # 7


@pytest.mark.parametrize("mode", MODES)
def test_full_is_valid_on_the_padded_map(mode):
    x = picture(1, 4, 3, 2)
    full = Conv2D(3, (3, 2), padding=Padding("full", mode))
    full.build(x.shape)
    valid = Conv2D(3, (3, 2), padding="valid")
    padded = oracle.pad(x, ((2, 2), (1, 1)), [mode] * 2).astype("float32")
    valid.build(padded.shape)
    valid.set_weights(full.get_weights())
    assert np.array_equal(full(x), valid(padded))


def test_circular_commutes_with_circular_shifts():
    conv = Conv2D(2, 3, padding=Padding("same", "circular"))
    x = picture(1, 6, 7, 1)
    rolled = np.roll(x, (2, 3), (1, 2))
    np.testing.assert_allclose(conv(rolled), np.roll(conv(x), (2, 3), (1, 2)), atol=1e-6)


@pytest.mark.parametrize(("k", "amount", "mode", "expected"), [
    (3, "valid", "zeros", [1, 2, 3, 3]), (5, "valid", "zeros", [1, 2, 3, 4, 5]),
    (3, "same", "zeros", [2, 3, 3, 3]), (5, "same", "zeros", [3, 4, 5, 5]),
    (3, "full", "zeros", [3, 3, 3, 3]), (5, "full", "zeros", [5, 5, 5, 5]),
    (3, "same", "circular", [3, 3, 3, 3]), (5, "same", "circular", [5, 5, 5, 5]),
    (3, "same", "symmetric", [3, 3, 3, 3]), (5, "same", "symmetric", [5, 5, 5, 5]),
    (3, "same", "replicate", [3, 3, 3, 3]), (5, "same", "replicate", [6, 4, 5, 5]),
    (3, "same", "reflect", [2, 4, 3, 3]), (5, "same", "reflect", [3, 6, 6, 5]),
    (3, "same", "partial", [2.5, 3.5, 3, 3]),
    (5, "same", "partial", [3 + 11 / 12, 4 + 11 / 12, 5 + 11 / 12, 5.25]),
])  # fmt: skip
def test_foveation_of_one_layer(k, amount, mode, expected):
    """Alsallakh et al. 2021: how often each pixel is used by an all-ones kernel."""
    conv = Conv1D(1, k, padding=Padding(amount, mode), kernel_initializer="ones", use_bias=False)
    shape = conv.compute_output_shape((1, 10, 1))
    _, (uses, _) = oracle.value_and_gradients(conv, picture(1, 10, 1), np.ones(shape, "float32"))
    np.testing.assert_allclose(uses[0, : len(expected), 0], expected, rtol=1e-6)
    np.testing.assert_allclose(uses[0, ::-1, 0], uses[0, :, 0], rtol=1e-6)


@pytest.mark.parametrize(("size", "expected"), [(224, 0.352), (225, 0), (32, 0.393), (33, 0)])
@pytest.mark.parametrize("amount", ["same", "half"])
def test_foveation_of_five_strides(size, expected, amount):
    """Alsallakh et al. 2021: sizes of 2^5 a + 1 use their pixels symmetrically, others do not."""
    args = {"padding": Padding(amount), "kernel_initializer": "ones", "use_bias": False}
    model = keras.Sequential([keras.Input((size, 1)), *(Conv1D(1, 3, 2, **args) for _ in range(5))])
    shape = (1, *model.output_shape[1:])
    x = picture(1, size, 1)
    _, (uses, *_) = oracle.value_and_gradients(model, x, np.ones(shape, "float32"))
    uses = uses[0, :, 0]
    asymmetry = np.abs(uses - uses[::-1]).sum() / (2 * uses.sum())
    assert asymmetry == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize("padding", [
    "same", Padding("half", "reflect"), Padding(["causal", [1, 2]], ["constant", "circular"], 2.0),
], ids=str)  # fmt: skip
def test_config_and_file_round_trip(padding, tmp_path):
    layer = Conv2D(3, (3, 2), padding=padding, use_bias=False, activation="tanh", name="conv")
    again = Conv2D.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert again.border == layer.border
    assert isinstance(layer.get_config()["padding"], str if isinstance(padding, str) else dict)
    inputs = keras.Input((6, 5, 4))
    inner = WeightNormConv1D(2, 3, padding=Padding("causal", "replicate"), name="wn")
    x = keras.layers.Reshape((-1, 3), name="flat")(
        Conv2D(3, 3, padding=padding, groups=1, name="conv")(inputs)
    )
    model = keras.Model(inputs, inner(x))
    model.set_weights([picture(*w.shape, seed=i) for i, w in enumerate(model.get_weights())])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    x = picture(2, 6, 5, 4)
    assert np.array_equal(loaded(x), model(x))
    assert loaded.get_layer("conv").border == model.get_layer("conv").border


def test_unknown_batch_and_sizes():
    conv = Conv2D(1, 3, padding=Padding("half", "constant", 1.0))
    model = keras.Sequential([keras.Input((None, None, 2)), conv])
    assert conv.compute_output_shape((None, None, 4, 2)) == (None, None, 4, 1)
    assert model(picture(3, 5, 4, 2)).shape == (3, 5, 4, 1)
    with pytest.raises(PaddingError, match="known size"):
        Conv2D(1, 3, padding=Padding("same", "reflect"))(keras.Input((None, 4, 2)))


def test_collapse_is_refused_on_building():
    for padding in ("valid", Padding([1, 0], "reflect")):
        with pytest.raises(CollapseError, match=r"layer 'tall': its window spans 5 .* on axis 1"):
            Conv2D(1, 3, dilation_rate=2, padding=padding, name="tall")(keras.Input((5, 4, 1)))
    assert Conv1D(1, 3, padding="same")(keras.Input((1, 1))).shape == (None, 1, 1)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: Conv2D(1, 3, padding=Padding("causal")), "one amount per axis"),
    (lambda: Conv1D(1, 3, padding=Padding("causal", "reflect")), "the future"),
    (lambda: Conv2D(1, 3, padding=Padding([1, 2, 3])), "one entry per axis"),
    (lambda: Conv2D(1, 3, padding="reflct"), "did you mean reflect"),
    (lambda: Conv2D(1, 3, data_format="channels_first"), "channels_last"),
    (lambda: Conv2D(1, 3, padding=3), "a Padding, a name or a dict"),
    (lambda: WeightNormConv1D(1, 3).enable_lora(2), "no LoRA"),
])  # fmt: skip
def test_mistakes(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_weight_norm_starts_as_a_plain_convolution():
    x = picture(2, 9, 2)
    outputs = []
    for kind in (Conv1D, WeightNormConv1D):
        layer = kind(3, 4, padding="causal", kernel_initializer=keras.initializers.HeNormal(7))
        outputs.append(np.asarray(layer(x)))
    np.testing.assert_allclose(outputs[1], outputs[0], atol=1e-6)
    assert [w.shape for w in layer.weights] == [(4, 2, 3), (3,), (3,)]
    kernel, bias, g = layer.get_weights()
    layer.set_weights([kernel * 5, bias, g])  # the length of v does not matter, g does
    np.testing.assert_allclose(layer(x), outputs[0], atol=1e-6)
    layer.set_weights([kernel, bias, g * 2])
    np.testing.assert_allclose(layer(x), outputs[0] * 2, atol=1e-6)


def test_weight_norm_gradient_is_orthogonal_to_v():
    """Salimans & Kingma 2016, section 2.1: the gradient by v has no part along v."""
    layer = WeightNormConv1D(3, 4, padding="causal")
    x = picture(2, 9, 2)
    _, (_, by_v, by_bias, by_g) = oracle.value_and_gradients(layer, x, picture(2, 9, 3, seed=3))
    v = layer.get_weights()[0]
    np.testing.assert_allclose((by_v * v).sum((0, 1)), 0.0, atol=1e-4)
    assert np.abs(by_v).max() > 0.1
    assert min(np.abs(by_g).min(), np.abs(by_bias).min()) > 0


def test_weight_norm_of_a_zero_kernel_is_finite():
    layer = WeightNormConv1D(2, 3, kernel_initializer="zeros")
    y, gradients = oracle.value_and_gradients(layer, picture(1, 5, 1), np.ones((1, 3, 2)))
    assert np.array_equal(y, np.zeros_like(y))
    assert all(np.isfinite(g).all() for g in gradients)
