"""Everything that every architecture of the registry owes, under every padding of conf/padding."""

import keras
import numpy as np
import pytest

import models
from conf import commandline
from models import ModelError
from models.padding import NAMED, Padding
from tests.contract import models_contract as contract
from tests.helpers import full

FILES = sorted(file.stem for file in models.registry.FOLDER.glob("*.py") if file.stem[0] != "_")
PADDINGS = list(commandline.options("padding"))


def kind(name):
    """What a model takes and gives; one that is broken has its own test."""
    try:
        return models.kind(name), models.gives(name)
    except ModelError:
        return name


def pairs():
    """Every architecture with every padding.

    For each padding one of those that take the same kind of data and give the same is not slow,
    and every other one of these is quick.
    """
    kinds = {}
    for name in FILES:
        kinds.setdefault(kind(name), []).append(name)
    for group, names in enumerate(kinds.values()):
        for i, padding in enumerate(PADDINGS):
            for name in names:
                if name != names[i // 2 % len(names)]:
                    yield pytest.param(name, padding, marks=pytest.mark.slow)
                elif (i + group) % 2:
                    yield full(name, padding)
                else:
                    yield pytest.param(name, padding)


def test_every_padding_of_the_library_can_be_chosen():
    assert set(PADDINGS) == set(NAMED)


@pytest.mark.parametrize("name", FILES)
def test_the_file_is_complete(name):
    contract.check_the_file(name)


@pytest.mark.parametrize("name", FILES)
def test_it_can_be_chosen_with_every_option(name):
    contract.check_the_yaml(name)


@pytest.mark.parametrize(("name", "padding"), pairs())
def test_it_builds_trains_and_comes_back(name, padding, tmp_path):
    model = contract.built(name, padding)
    if model is None:
        return
    contract.check_what_it_gives(name, model)
    contract.check_initial_weights(name, padding, model)
    contract.check_a_step(name, model)
    contract.check_saving(name, model, tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_the_seed_decides_the_weights_and_the_pools_padding_does_not(name):
    other = contract.tiny(name, seed=1)
    pairs = zip(contract.initial(name).values(), other.weights, strict=True)
    assert not all(np.array_equal(a, np.array(b)) for a, b in pairs)
    follow = contract.tiny(name, "reflect", pools="follow")
    contract.check_initial_weights(name, "reflect padding.pools=follow", follow)


@pytest.mark.parametrize("name", FILES)
def test_layers_carry_their_padding_and_take_their_own(name):
    model = contract.tiny(name)
    first, *others = [x for x in model.layers if getattr(x, "border", None) == Padding()]
    own = contract.tiny(name, overrides={first.name: "reflect"})
    assert own.get_layer(first.name).border == NAMED["reflect"]
    assert all(own.get_layer(layer.name).border == Padding() for layer in others)


@pytest.mark.parametrize("name", FILES)
def test_outputs_are_float32_in_mixed_precision(name):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        contract.check_what_it_gives(name, contract.tiny(name, "reflect"))
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("name", FILES)
def test_graphs_compute_what_eager_calls_do(name):
    model = contract.tiny(name, {"amount": "full", "mode": "reflect"})
    x, _ = contract.examples(model)
    np.testing.assert_allclose(model.predict(x, verbose=0), model(x), atol=1e-5)
