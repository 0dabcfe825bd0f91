"""A large image predicted in tiles: every network that gives an image, under every padding."""

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
from tests.helpers import full, thinned

# Of the largest number there is. On the back ends' CPU kernels about 2e-7 was found.
TOLERANCE = 3e-6
OTHERS = [name for name in models.names() if models.gives(name) != "image"]
PADDINGS = [p for p in NAMED if any(contract.fits(form[0], p) is None for form in FORMS)]


def close(tiled, whole):
    """Whether a prediction is the whole one but for the rounding of sums in another order."""
    assert tiled.shape == whole.shape and tiled.dtype == whole.dtype
    assert np.abs(tiled - whole).max() <= TOLERANCE * np.abs(whole).max()


def cases():
    """Every form under every padding; of every other padding one form is quick."""
    quick = [form for form in FORMS if form[0] != "fcn8"]  # whose field is 404 pixels wide
    for i, padding in enumerate(PADDINGS):
        for form in FORMS:
            if contract.fits(form[0], padding) is None:
                own = i % 2 == 0 and form == quick[i // 2 % len(quick)]
                yield pytest.param(form, padding) if own else full(form, padding)


def goes_far(padding):
    """For each axis whether the border holds what is far away."""
    modes = [MODES[mode] for mode in NAMED[padding].modes(2)]
    both = any(isinstance(mode, (Statistic, PlaneRule)) for mode in modes)
    return tuple(both or mode.closes for mode in modes)


@pytest.mark.parametrize(("form", "padding"), cases(), ids=spoken)
def test_a_tiled_prediction_is_the_whole_one(form, padding):
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
        close(tiled, model.predict(image[None], verbose=0)[0])


@pytest.mark.parametrize("name", thinned(OTHERS, 4))
def test_a_network_that_gives_no_image_says_which_layer_sees_everything(name):
    model = contract.built(name, "same")
    found = halo(model)
    assert set(found.overlap) == {None}
    assert all("reads all of its map" in reason for reason in found.reasons)
    with pytest.raises(TileError, match="Nothing can be tiled: "):
        predict_tiled(model, np.zeros(model.input_shape[1:], "float32"), tile=16)
