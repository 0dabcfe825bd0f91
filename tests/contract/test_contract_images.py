"""Networks that give an image: of the input's own size, or of what the padding leaves of it."""

import warnings
from fractions import Fraction
from typing import Literal, get_args, get_origin

import keras
import numpy as np
import pytest

import models
from models import registry
from models.align import MisalignedWarning
from models.geometry.tracing.trace import trace
from models.padding import NAMED
from models.padding.modes import plane_of
from tests.contract import models_contract as contract
from tests.helpers import full, thinned

IMAGES = [name for name in models.names() if models.gives(name) == "image"]
LARGEST = 70
ALL = [(n, LARGEST + 1 - n) for n in range(1, LARGEST // 2 + 1)]  # every size, on one of the axes
FEW = [(1, 70), (6, 17), (32, 33)]
WIDTHS = (64, 58)  # on each level even, of which a mode may ask
CHANNELS, CLASSES = 1, 2


def forms():
    """Each architecture's tiny form, and it with each other value of an option that names one."""
    found = []
    for name in IMAGES:
        tiny, usual = registry.tiny(name), models.options(name) | registry.tiny(name)
        found.append((name, tiny))
        for option, allowed in registry.option_types(name).items():
            values = get_args(allowed) if get_origin(allowed) is Literal else ()
            found += [(name, {**tiny, option: v}) for v in values if v != usual[option]]
    return found


FORMS = forms()
MOST = [full(form) if form[0] == "fcn8" else pytest.param(form) for form in FORMS]  # VGG is deep


def cases():
    """Every form under every padding; sizes depend on the amount alone, so a mode has few."""
    paddings = [p for p in NAMED if any(contract.fits(name, p) is None for name in IMAGES)]
    amounts = {NAMED[padding].amount: padding for padding in reversed(paddings)}
    for i, padding in enumerate(paddings):
        for j, form in enumerate(FORMS):
            case = (form, padding, FEW)
            if padding == "causal_rows" and padded_by_100(form):
                yield pytest.param(*case)
            elif j != i // 2 % len(FORMS):
                yield pytest.param(*case, marks=pytest.mark.slow)
            else:
                yield full(*case) if i % 2 else pytest.param(*case)
            if amounts[NAMED[padding].amount] == padding:
                yield pytest.param(form, padding, ALL, marks=pytest.mark.slow)


def padded_by_100(form):
    """Whether a form has so much padding in one layer that another may have none."""
    return form[1].get("sizes") == "pad100"


def as_bound(form, padding, size):
    """A form with all layers padded as they are bound, at a size that it takes."""
    form = form[0], {**form[1], "sizes": "same"}
    return net(form, padding, *sizes_of(form, padding, [size]))


def spoken(value):
    """The name of a form or a padding in the name of a test."""
    if isinstance(value, list):
        return "all" if value is ALL else "few"
    return value if isinstance(value, str) else "-".join(map(str, (value[0], *value[1].values())))


def net(form, padding, sizes, **changes):
    """A form for a picture. Half a pixel between branches is for the lint to tell."""
    name, options = form
    given = {"input_shape": (*sizes, CHANNELS), "num_classes": CLASSES, **options, **changes}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MisalignedWarning)
        keras.utils.set_random_seed(0)
        return models.build(name, padding=padding, **given)


def smallest(form, padding):
    """The smallest size that a form survives; with amount `input` any, which is padded."""
    if NAMED[padding].amount == "input":
        return 1
    name, options = form
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MisalignedWarning)
        return models.smallest_input(
            name, input_channels=CHANNELS, num_classes=CLASSES, padding=padding, **options
        )


def sizes_of(form, padding, sizes):
    """The sizes that a form takes under a padding; of a plane the widths that its mode takes."""
    if not plane_of(NAMED[padding].mode_names):
        least = smallest(form, padding)
        return [size for size in sizes if min(size) >= least] or [(least, least + 1)]
    for width in WIDTHS:
        try:
            net(form, padding, (1, width))
        except models.DoesNotFitError:
            continue
        return [(height, width) for height, _ in sizes]
    raise AssertionError(f"{form} takes none of {WIDTHS} under {padding}")


def own_size(model):
    """The input's size in pixels of the output."""
    strides = map(Fraction, trace(model)[-1].effective_stride)
    return tuple(n / s for n, s in zip(model.input_shape[1:3], strides, strict=True))


def keeps_size(model, padding):
    """Whether no convolution leaves a pixel out, or the picture was padded for all of them."""
    maps = [
        (layer.input.shape[1:3], layer.output.shape[1:3], layer.strides)
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D)
    ]
    return NAMED[padding].amount == "input" or all(
        after * stride >= before
        for axes in maps
        for before, after, stride in zip(*axes, strict=True)
    )


@pytest.mark.parametrize(("form", "padding", "sizes"), cases(), ids=spoken)
def test_a_picture_comes_back_at_its_own_size(form, padding, sizes):
    """Under every padding that keeps it; under the others no pixel more comes back."""
    name, options = form
    plane = plane_of(NAMED[padding].mode_names)
    large = (contract.LARGEST, contract.LARGEST, CHANNELS)
    if not plane and contract.built(name, padding, input_shape=large, **options) is None:
        return
    for size in sizes_of(form, padding, sizes):
        model = net(form, padding, size)
        found, own = model.output_shape[1:3], own_size(model)
        bound = as_bound(form, padding, size) if padded_by_100(form) else model
        if keeps_size(bound, padding):
            assert found == own, size
        assert all(n <= most for n, most in zip(found, own, strict=True)), (size, found)


@pytest.mark.parametrize("form", MOST, ids=spoken)
def test_it_computes_as_many_pixels_as_it_says(form):
    least = smallest(form, "valid")
    for padding in ("same", "valid", "full"):
        model = net(form, padding, (least, least + 3))
        outputs = model(np.zeros((1, least, least + 3, CHANNELS), "float32"))
        assert outputs.shape[1:] == model.output_shape[1:]


@pytest.mark.parametrize("form", MOST, ids=spoken)
def test_too_small_a_picture_is_told_the_smallest(form):
    least = smallest(form, "valid")
    assert least > 1
    with pytest.raises(models.DoesNotFitError) as refusal:
        net(form, "valid", (least - 1, least + 4))
    assert f"smallest square input is {least}x{least}. Received" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("form", FORMS, ids=spoken)
@pytest.mark.parametrize("sizes", [(None, None), (32, None), (None, 32)])
def test_an_unknown_size_is_refused(form, sizes):
    with pytest.raises(models.ModelError, match="give height and width. Received") as refusal:
        net(form, "same", sizes)
    assert "\n" not in str(refusal.value)


def pictures(rng, n, size, factor=1):
    """Waves of `n` directions, at `factor` times the resolution: (n, *size * factor, 1)."""
    rows, columns = (np.arange(m * factor) / factor for m in size)
    u, v, phase = rng.uniform(0, 1, (3, n, 1, 1))
    return np.sin(u * rows[:, None] + v * columns + 6 * phase)[..., None].astype("float32")


@pytest.mark.parametrize("form", thinned([(form,) for form in FORMS], 6), ids=spoken)
def test_an_epoch_lowers_the_loss(form):
    """Pictures that the test makes, to be given back: at the output's resolution."""
    model = net(form, "reflect", (16, 17), num_classes=1)
    factor = model.output_shape[1] // 16
    x, y = (pictures(np.random.default_rng(0), 128, (16, 17), f) for f in (1, factor))
    model.compile(keras.optimizers.Adam(0.003), "mse")
    before = model.evaluate(x, y, verbose=0)
    model.fit(x, y, batch_size=8, epochs=1, verbose=0)
    assert model.evaluate(x, y, verbose=0) < before
