"""A large image predicted in tiles: every network that gives an image, under every padding."""

import keras
import numpy as np
import pytest

import models
from models.geometry.tiling.halo import halo
from models.geometry.tiling.predict_tiled import predict_tiled
from models.geometry.tiling.tiled_network import TileError
from models.padding import MODES, NAMED
from models.padding.definitions import PlaneRule, Statistic
from models.padding.modes import plane_of
from tests.contract import models_contract as contract
from tests.contract.test_contract_images import CHANNELS, FORMS, WIDTHS, net, sizes_of, spoken
from tests.helpers import full, slow, thinned

# In double precision a pixel that is wrong stands out from the rounding of a deep network, which
# `odd_reflect` makes 100 times as large. The last layer, and on JAX all, are of single precision.
DOUBLE = keras.backend.backend() == "tensorflow"
OTHERS = [name for name in models.names() if models.gives(name) != "image"]
PADDINGS = [p for p in NAMED if any(contract.fits(form[0], p) is None for form in FORMS)]


def close(tiled, whole, tolerance=3e-6):
    """Whether a prediction is the whole one but for the rounding of sums in another order."""
    assert tiled.shape == whole.shape and tiled.dtype == whole.dtype
    assert np.abs(tiled - whole).max() <= tolerance * np.abs(whole).max()


@pytest.fixture
def precise():
    """All layers that do not say another are of double precision; gives the tolerance."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64" if DOUBLE else "float32")
    yield 3e-7 if DOUBLE else 3e-5
    keras.config.set_dtype_policy(before)


def cases():
    """Every form under every padding; of every other padding one form is quick."""
    quick = [form for form in FORMS if form[0] != "fcn8"]  # whose field is 404 pixels wide
    for i, padding in enumerate(PADDINGS):
        for form in FORMS:
            if contract.fits(form[0], padding) is None:
                own = i % 2 == 0 and form == quick[i // 2 % len(quick)]
                heavy = form not in quick and padding not in ("same", "reflect")
                later = slow if heavy else full
                yield pytest.param(form, padding) if own else later(form, padding)


def goes_far(padding):
    """For each axis whether the border holds what is far away."""
    modes = [MODES[mode] for mode in NAMED[padding].modes(2)]
    both = any(isinstance(mode, (Statistic, PlaneRule)) for mode in modes)
    return tuple(both or mode.closes for mode in modes)


@pytest.mark.parametrize(("form", "padding"), cases(), ids=spoken)
def test_a_tiled_prediction_is_the_whole_one(form, padding, precise):
    """Of an odd size on an axis that is tiled, and smaller on the other where the field is wide."""
    shape = (contract.LARGEST, contract.LARGEST, CHANNELS)
    plane = plane_of(NAMED[padding].mode_names)
    if not plane and contract.built(form[0], padding, input_shape=shape, **form[1]) is None:
        return  # a layer that it has refuses the padding
    probe = net(form, padding, sizes_of(form, padding, [WIDTHS])[0])
    found = halo(probe)
    assert tuple(overlap is None for overlap in found.overlap) == goes_far(padding)
    # The other axis: a tile and a little where that is small, else no more than it must be.
    longer = [
        (least or 0) + 2 * grid + 1 for least, grid in zip(found.smallest, found.grid, strict=True)
    ]
    wide = max(longer) > 200
    for axis in (0, 1):
        if found.overlap[axis] is None or (wide and axis != len(padding) % 2):
            continue
        size = list(probe.input_shape[1:3])
        size[axis] = longer[axis] + found.grid[axis]
        if found.overlap[1 - axis] is not None and not wide:
            size[1 - axis] = longer[1 - axis]
        model = net(form, padding, sizes_of(form, padding, [size])[0])
        size, own = model.input_shape[1:3], halo(model)
        tile = [-(-n // grid) * grid for n, grid in zip(size, own.grid, strict=True)]
        tile[axis] = own.smallest[axis]
        image = np.random.default_rng(0).normal(size=(*size, CHANNELS)).astype("float32")
        tiled = predict_tiled(model, image, tile=tile)
        close(tiled, model.predict(image[None], verbose=0)[0], precise)


@pytest.mark.parametrize("padding", ["same", "reflect"])
@pytest.mark.parametrize("form", [form for form in FORMS if form[0] != "fcn8"], ids=spoken)
def test_where_sums_are_exact_it_is_the_whole_one_to_the_last_bit(form, padding):
    """Whole numbers add up to the same in any order, so no kernel has a say."""
    rng, model = np.random.default_rng(0), net(form, padding, (67, 61))
    for weight in model.weights:
        weight.assign(rng.integers(-1, 2, weight.shape).astype("float32"))
    for layer in model.layers:
        if getattr(layer, "activation", None) is keras.activations.tanh:
            layer.activation = keras.activations.relu
    image = rng.integers(0, 4, (67, 61, CHANNELS)).astype("float32")
    whole = model.predict(image[None], verbose=0)[0]
    assert 10 < np.abs(whole).max() < 2**22
    tile = [
        least + 2 * grid for least, grid in zip(halo(model).smallest, halo(model).grid, strict=True)
    ]
    assert np.array_equal(predict_tiled(model, image, tile=tile), whole)


@pytest.mark.parametrize("name", thinned(OTHERS, 4))
def test_a_network_that_gives_no_image_says_which_layer_sees_everything(name):
    model = contract.built(name, "same")
    found = halo(model)
    assert set(found.overlap) == {None}
    assert all("reads all of its map" in reason for reason in found.reasons)
    with pytest.raises(TileError, match="Nothing can be tiled: "):
        predict_tiled(model, np.zeros(model.input_shape[1:], "float32"), tile=16)
