import itertools

import keras
import numpy as np
import pytest

from models import layers
from models.padding import Padding, PaddingError
from models.padding.supports import LAYER_RANK, supports
from tests.helpers import thinned
from tests.models.layers.oracle import AMOUNTS, AXIS_MODES, MODES

FUTURE = ("reflect", "symmetric", "circular", "odd_reflect", "mean", "random", "spherical")


def reason(amount, mode, layer):
    """The table, written anew."""
    rank, pool = LAYER_RANK[layer], "Pooling" in layer
    if layer.startswith("PadInput"):
        if isinstance(amount, str) and amount != "input":
            return "has no window"
        if mode == "spherical" and rank == 1:
            return "has one axis"
        return "is not computed" if mode == "partial" else None
    if amount == "input":
        return "a network's image once"
    if amount == "causal" and rank == 2:
        return "write one amount per axis, such as ['causal', 'same']"
    if amount == "causal" and layer.endswith("Transpose") and mode != "zeros":
        return "turns round in Conv1DTranspose"
    if amount == "causal" and mode in FUTURE:
        return "looks into the future"
    if mode == "spherical" and rank == 1:
        return "goes on by rows and columns of an image"
    if layer.endswith("Transpose") and amount == "even_split":
        return "writes them"
    if amount == "even_split":
        if pool:
            return "moves each channel's kernel"
        return "one per corner" if mode == "partial" else None
    return "rescales a sum" if mode == "partial" and layer.startswith("Max") else None


@pytest.mark.parametrize("layer", LAYER_RANK)
def test_the_whole_table(layer):
    for amount, mode in itertools.product((*AMOUNTS, "input", 2), MODES):
        expected, found = reason(amount, mode, layer), supports(amount, mode, layer)
        assert (found is None) == (expected is None), (amount, mode, found)
        if expected:
            assert expected in found, (amount, mode, found)
            assert "\n" not in found and not found.endswith(".")


@pytest.mark.parametrize(
    "layer", thinned([name for name in LAYER_RANK if not name.startswith("PadInput")], 2)
)
def test_layers_take_what_is_supported(layer):
    """A layer raises the reason on being made; what is made can be called."""
    rank = LAYER_RANK[layer]
    args = (2, 3) if "Conv" in layer and not layer.startswith("Depthwise") else (3,)
    x = np.random.default_rng(0).normal(size=(1, *(6,) * rank, 2)).astype("float32")
    for amount, mode in itertools.product((*AMOUNTS, 1), MODES):
        why, border = supports(amount, mode, layer), Padding(amount, mode)
        if why is None:
            kwargs = {"count_include_pad": mode != "partial"} if "Pooling" in layer else {}
            made = getattr(layers, layer)(*args, padding=border, **kwargs)
            assert np.isfinite(np.asarray(made(x))).all()
        else:
            with pytest.raises(PaddingError) as caught:
                getattr(layers, layer)(*args, padding=border)
            assert str(caught.value).startswith(why) and "Received: padding=" in str(caught.value)


@pytest.mark.parametrize(
    "layer", ["Conv2D", "DepthwiseConv2D", "SeparableConv2D", "PadInput2D", "Conv2DTranspose"]
)
def test_any_two_modes_of_an_axis(layer):
    amount = 1 if layer == "PadInput2D" else "same"
    for modes in itertools.product(MODES, repeat=2):
        found = supports(amount, modes, layer)
        assert (found is None) == (set(modes) <= set(AXIS_MODES)), modes
        assert found is None or "fills the whole border at once" in found


def test_each_axis_is_looked_at_alone():
    assert supports(["causal", "same"], ["zeros", "reflect"], "Conv2D") is None
    assert "the future" in supports(["same", "causal"], ["zeros", "reflect"], "Conv2D")
    assert supports(["valid", "causal"], "constant", "Conv2D") is None
    assert supports(["causal", "same"], "learned", "SeparableConv2D") is None
    assert "the future" in supports(["causal", "same"], "mean", "Conv2D")
    assert "one per corner" in supports(["even_split", "same"], "partial", "Conv2D")
    assert supports(["causal", "same"], ["zeros", "reflect"], "Conv2DTranspose") is None
    for mode in ("zeros", "reflect"):
        found = supports(["same", "causal"], [mode, "replicate"], "Conv2DTranspose")
        assert "it takes zeros only" in found
    for layer, rank in LAYER_RANK.items():
        assert "one entry per axis" in supports([1] * (rank + 1), "zeros", layer)
        assert "one entry per axis" in supports(1, ["zeros"] * (rank + 1), layer)


def test_the_picture_is_padded_by_pixels():
    pair = [[1, 2], [0, 3]]
    padded = layers.PadInput2D(Padding(pair, "reflect"))(keras.Input((5, 6, 1)))
    assert padded.shape == (None, 8, 9, 1)
    with pytest.raises(PaddingError, match="has no window"):
        layers.PadInput2D(Padding("same"))
