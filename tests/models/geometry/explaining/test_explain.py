"""All fifteen relationships of Dumoulin & Visin against Keras' layers, and the sums by hand."""

import itertools

import keras
import numpy as np
import pytest

from models.geometry.explaining import by_hand
from models.geometry.explaining.explain import explain
from models.geometry.explaining.relationships import (
    DEFAULTS,
    KINDS,
    RELATIONSHIPS,
    ExplainError,
    read,
    relationships,
    size,
)
from models.layers import AveragePooling2D, Conv2D, MaxPooling2D
from models.padding import Padding

# Number, kind, the figure's numbers, and the size it shows.
FIGURES = [
    (1, "conv", {"input": 4, "kernel": 3, "stride": 1, "pad": 0}, 2),
    (2, "conv", {"input": 5, "kernel": 4, "stride": 1, "pad": 2}, 6),
    (3, "conv", {"input": 5, "kernel": 3, "stride": 1, "pad": 1}, 5),
    (4, "conv", {"input": 5, "kernel": 3, "stride": 1, "pad": 2}, 7),
    (5, "conv", {"input": 5, "kernel": 3, "stride": 2, "pad": 0}, 2),
    (6, "conv", {"input": 5, "kernel": 3, "stride": 2, "pad": 1}, 3),
    (6, "conv", {"input": 6, "kernel": 3, "stride": 2, "pad": 1}, 3),
    (7, "pool", {"input": 5, "kernel": 3, "stride": 1, "pad": 0}, 3),
    (8, "transposed", {"input": 2, "kernel": 3, "stride": 1, "pad": 0}, 4),
    (9, "transposed", {"input": 6, "kernel": 4, "stride": 1, "pad": 2}, 5),
    (10, "transposed", {"input": 5, "kernel": 3, "stride": 1, "pad": 1}, 5),
    (11, "transposed", {"input": 7, "kernel": 3, "stride": 1, "pad": 2}, 5),
    (12, "transposed", {"input": 2, "kernel": 3, "stride": 2, "pad": 0, "output_padding": 0}, 5),
    (13, "transposed", {"input": 3, "kernel": 3, "stride": 2, "pad": 1, "output_padding": 0}, 5),
    (14, "transposed", {"input": 3, "kernel": 3, "stride": 2, "pad": 1, "output_padding": 1}, 6),
    (15, "conv", {"input": 7, "kernel": 3, "stride": 1, "pad": 0, "dilation": 2}, 3),
]
MAP = [[3, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]]
KERNEL = [[0, 1, 2], [2, 2, 0], [0, 1, 2]]


@pytest.mark.parametrize(("number", "kind", "numbers", "shown"), FIGURES)
def test_the_figures(number, kind, numbers, shown):
    found = {r.number: r.size(read(kind, **numbers)) for r in relationships(kind, **numbers)}
    assert found[number] == size(kind, **numbers) == shown
    assert set(found.values()) == {shown}
    text = explain(kind, **numbers)
    assert f"= {shown}" in text
    assert f"\n  {number:>2}  " in text


def test_there_are_fifteen():
    numbers = [r.number for group in RELATIONSHIPS.values() for r in group]
    assert sorted(numbers) == list(range(1, 16))
    assert {number for number, *_ in FIGURES} == set(numbers)


def test_convolutions_are_keras():
    held = set()
    for i, k, s, p, d in itertools.product(
        range(1, 9), range(1, 5), range(1, 4), range(4), range(1, 4)
    ):
        if i + 2 * p < d * (k - 1) + 1:
            continue
        padded = (None, i + 2 * p, i + 2 * p, 1)
        if s > 1 and d > 1:  # which Keras refuses; a dilated kernel is one with zeros in it
            keras_size = keras.layers.Conv2D(1, d * (k - 1) + 1, s).compute_output_shape(padded)[1]
        else:
            layer = keras.layers.Conv2D(1, k, s, dilation_rate=d)
            keras_size = layer.compute_output_shape(padded)[1]
        given = {"input": i, "kernel": k, "stride": s, "pad": p, "dilation": d}
        found = relationships("conv", **given)
        held |= {r.number for r in found}
        assert {r.size(read("conv", **given)) for r in found} == {keras_size}
    assert held == {1, 2, 3, 4, 5, 6, 15}


def test_same_at_stride_1_is_relationship_3():
    for i, k in itertools.product(range(1, 9), (1, 3, 5)):
        layer = keras.layers.Conv2D(1, k, padding="same")
        given = {"input": i, "kernel": k, "stride": 1, "pad": k // 2}
        assert layer.compute_output_shape((None, i, i, 1))[1] == size("conv", **given) == i
        assert 3 in [r.number for r in relationships("conv", **given)]


def test_pools_are_keras():
    for i, k, s in itertools.product(range(1, 10), range(1, 5), range(1, 4)):
        if i >= k:
            (r,) = relationships("pool", input=i, kernel=k, stride=s, pad=0)
            for kind in (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D):
                keras_size = kind(k, s).compute_output_shape((None, i, i, 1))[1]
                assert (r.number, r.size(read("pool", input=i, kernel=k, stride=s))) == (
                    7,
                    keras_size,
                )


def test_transposed_ones_are_keras():
    """Keras' `valid` has p = 0, its `same` p = k // 2, and `output_padding` is a."""
    held = set()
    for i, k, s, a in itertools.product(range(1, 6), range(1, 6), range(1, 4), range(3)):
        for padding, p in (("valid", 0), ("same", k // 2)):
            given = {"input": i, "kernel": k, "stride": s, "pad": p, "output_padding": a}
            if a >= s or p > k - 1 or s * (i - 1) + a + k - 2 * p < 1:
                with pytest.raises(ExplainError):
                    size("transposed", **given)
                continue
            layer = keras.layers.Conv2DTranspose(1, k, s, padding=padding, output_padding=a)
            keras_size = layer.compute_output_shape((None, i, i, 1))[1]
            found = relationships("transposed", **given)
            held |= {r.number for r in found}
            assert {r.size(read("transposed", **given)) for r in found} == {keras_size}, given
    assert held == {8, 9, 10, 11, 12, 13, 14}


def test_a_transposed_layer_takes_the_output_back():
    for i, k, s, p in itertools.product(range(1, 12), range(1, 5), range(1, 4), range(3)):
        if p < k <= i + 2 * p:
            o = size("conv", input=i, kernel=k, stride=s, pad=p)
            given = {"kernel": k, "stride": s, "pad": p, "output_padding": (i + 2 * p - k) % s}
            assert size("transposed", input=o, **given) == i


@pytest.mark.parametrize("flipped", [False, True])
def test_sums_by_hand_are_numpys(flipped):
    """NumPy's convolve flips the kernel, as mathematics does; its correlate does not."""
    n = read("conv", input=7, kernel=3, stride=2, pad=2)
    w = by_hand.weights(n)
    padded = np.pad(by_hand.pixels(n), 2)
    numpys = np.convolve(padded, w, "valid") if flipped else np.correlate(padded, w, "valid")
    ours = [by_hand.total(taps) for taps in by_hand.correlate(n, w[::-1] if flipped else w)]
    assert ours == numpys[::2].tolist()


def test_sums_by_hand_are_keras():
    def run(layer, x, kernel):
        inputs = np.asarray(x, "float32")[None, :, None]
        layer.build(inputs.shape)
        layer.set_weights([np.asarray(kernel, "float32")[:, None, None]])
        return np.asarray(layer(inputs))[0, :, 0].tolist()

    n = read("conv", input=9, kernel=3, stride=1, pad=0, dilation=2)
    ours = [by_hand.total(taps) for taps in by_hand.correlate(n, by_hand.weights(n))]
    layer = keras.layers.Conv1D(1, 3, dilation_rate=2, use_bias=False)
    assert ours == run(layer, by_hand.pixels(n), by_hand.weights(n))
    for a in (0, 1):
        n = read("transposed", input=4, kernel=3, stride=2, pad=1, output_padding=a)
        ours = [by_hand.total(taps) for taps in by_hand.spread(n)]
        layer = keras.layers.Conv1DTranspose(1, 3, 2, use_bias=False)
        whole = run(layer, by_hand.pixels(n), by_hand.weights(n))
        assert ours == whole[1 : 1 + len(ours)]
        assert len(ours) == 7 + a


def sums(text):
    """What the lines y0, y1, … of a part of the text come to."""
    return [int(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith("  y")]


@pytest.mark.parametrize(("x", "w"), [((3, 4, 1), (2, 2, 8)), ((-3, 0, 7, 5), (1, -2))])
def test_numbers_of_ones_own_are_worked_as_numpy_does(x, w):
    text = explain("conv", x, w, stride=1, pad=len(w) - 1)
    plain, flipped = text.split("cross-correlation")[1].split("convolution, as mathematics")
    assert sums(plain) == np.correlate(x, w, "full").tolist()
    assert sums(flipped) == np.convolve(x, w, "full").tolist()
    assert f"i = {len(x)}, kernel k = {len(w)}," in text.splitlines()[0]
    assert sums(explain("transposed", x, w, stride=1, pad=0)) == np.convolve(x, w).tolist()


def test_a_negative_factor_is_in_brackets():
    assert "y0 = (-2)·(-3) + 1·4 = 10" in explain("conv", (-3, 4), (-2, 1), stride=1, pad=0)
    assert "average (4 + (-3)) / 2 = 0.5" in explain("pool", (4, -3), kernel=2)


def test_the_text_says_which_one_libraries_compute():
    text = explain("conv", input=5, kernel=3, stride=2, pad=1)
    assert "o = ⌊(i + 2p − k) / s⌋ + 1 = ⌊(5 + 2·1 − 3) / 2⌋ + 1 = 3" in text
    plain, flipped = text.split("cross-correlation")[1].split("convolution, as mathematics")
    assert "libraries compute" in plain
    assert "y1 = 1·2 + 2·3 + 3·4 = 20" in plain
    assert "the kernel flipped, 3 2 1" in flipped
    assert "y1 = 3·2 + 2·3 + 1·4 = 16" in flipped


def test_the_stretched_input_gives_the_same():
    text = explain("transposed", input=3, kernel=3, stride=2, pad=1, output_padding=1)
    assert text.endswith("\n  0 1 0 2 0 3 0 0")
    stretched = [0, 1, 0, 2, 0, 3, 0, 0]
    sums = [int(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith("  y")]
    assert sums == np.correlate(stretched, [3, 2, 1], "valid").tolist()


def test_a_stride_that_reads_no_end_says_so():
    text = explain("conv", input=224, kernel=7, stride=2, pad=3)
    assert "no window reads the last 1 of the padding: inputs of" in text
    assert "223 to 224 all give 112" in text
    assert {size("conv", input=i, kernel=7, stride=2, pad=3) for i in (223, 224)} == {112}
    assert "left over" not in explain("conv", input=225, kernel=7, stride=2, pad=3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_alone_is_an_example(kind):
    assert explain(kind) == explain(kind, **DEFAULTS[kind])
    assert len(explain(kind).splitlines()) > 8


@pytest.mark.parametrize(
    ("kind", "numbers", "says"),
    [
        ("conf", {}, "did you mean conv"),
        ("pool", {"dilation": 2}, "dilation means nothing for pool"),
        ("conv", {"stride": 0}, "stride must be at least 1; got 0"),
        ("conv", {"pad": -1}, "pad must be at least 0"),
        ("conv", {"input": 2, "kernel": 5, "pad": 1}, "spans 5 pixels and the padded input has 4"),
        ("transposed", {"stride": 2, "output_padding": 2}, "less than the stride: at most 1"),
        ("transposed", {"kernel": 3, "pad": 3}, "more padding than k − 1 = 2"),
        ("conv", {"x": (3, 4, 1), "input": 5}, "x has 3 numbers, so input is not needed"),
        ("conv", {"w": (2, 2, 8), "kernel": 2}, "w has 3 numbers, so kernel is not needed"),
        ("pool", {"w": (2, 2)}, "w means nothing for pool"),
    ],
)
def test_what_belongs_to_no_layer_is_refused(kind, numbers, says):
    with pytest.raises(ExplainError, match=says) as error:
        explain(kind, **numbers)
    assert "\n" not in str(error.value)


def test_the_value_grids_of_the_paper():
    """Their figures 1.1, 1.2, 1.5 and 1.6, computed by the zoo's layers."""
    x = np.asarray(MAP, "float32")[None, :, :, None]

    def conv(strides, padding):
        layer = Conv2D(1, 3, strides, use_bias=False, padding=padding)
        layer.build(x.shape)
        layer.set_weights([np.asarray(KERNEL, "float32")[:, :, None, None]])
        return np.asarray(layer(x))[0, :, :, 0]

    assert conv(1, "valid").tolist() == [[12, 12, 17], [10, 17, 19], [9, 6, 14]]
    assert conv(2, Padding(1)).tolist() == [[6, 17, 3], [8, 17, 13], [6, 4, 4]]
    average = np.asarray(AveragePooling2D(3, 1)(x))[0, :, :, 0]
    expected = [[5 / 3, 5 / 3, 5 / 3], [1, 11 / 9, 16 / 9], [10 / 9, 7 / 9, 4 / 3]]
    np.testing.assert_allclose(average, expected, rtol=1e-6)
    largest = np.asarray(MaxPooling2D(3, 1)(x))[0, :, :, 0]
    assert largest.tolist() == [[3, 3, 3], [3, 3, 3], [3, 2, 3]]
