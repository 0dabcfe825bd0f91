import dataclasses

import keras
import numpy as np
import pytest

from experiments.probes import swap
from experiments.probes.shared import examples
from experiments.probes.shared.subject import NotApplicableError
from models.padding import NAMED, Padding
from tests import subjects

SMALL = {"widths": (6, 6), "convs_per_stage": (1, 1)}


def subject(padding, shape=(16, 16, 1), **options):
    """A network whose weights, statistics and borders are none of the initial ones."""
    keras.utils.set_random_seed(3)
    of = subjects.subject("small_cnn", subjects.noise(shape, n=80), padding, **{**SMALL, **options})
    rng = np.random.default_rng(0)
    for variable in of.model.weights:
        value = np.asarray(variable)
        variable.assign(value + rng.uniform(0.1, 0.4, value.shape))
    return of


@pytest.mark.full
@pytest.mark.parametrize(
    ("padding", "alias"), [("replicate", "symmetric"), ("symmetric", "replicate"), ("same", "half")]
)
def test_known_answer_an_alias_tells_the_same_of_every_example(padding, alias):
    of = subject(padding)
    x = of.loaded.test.x
    swapped = swap.carried(of, alias)
    assert np.array_equal(examples.outputs(of.model, x), examples.outputs(swapped, x))
    assert {padding, alias} <= set(swap.probe(of).values["own"])


@pytest.mark.full
def test_every_padding_that_computes_something_else_is_there_once():
    found = swap.probe(subject("same")).values
    same = ["same", "even_split", "half", "same_lower", "explicit", "constant"]
    assert found["own"] == same
    assert set(found["unfit"]) == {"causal"}
    names = [*found["own"], *found["unfit"], *found["under"]]
    names += [name for one in found["under"].values() for name in one["also"]]
    assert sorted([*names, "random", "learned"]) == sorted(NAMED)
    assert found["under"]["replicate"]["also"] == ["symmetric"]


def test_the_fall_is_that_of_the_same_weights():
    of = subject("same")
    found = swap.probe(of).values
    x, y = of.loaded.test.x, of.loaded.test.y
    for name in ("valid", "circular", "full"):
        again = of.rebuild(NAMED[name])
        again.set_weights(of.model.get_weights())
        accuracy = (again.predict(x, verbose=0).argmax(axis=1) == y).mean()
        assert found["under"][name]["accuracy"] == pytest.approx(accuracy)
        fall = found["under"][name]
        assert fall["fall"] == pytest.approx(100 * (found["accuracy"] - accuracy))
        assert fall["low"] <= fall["fall"] <= fall["high"]


def test_a_learned_border_is_left_behind_and_the_rest_carried():
    of = subject("learned")
    own = {v.path: np.asarray(v) for v in of.model.weights}
    swapped = swap.carried(of, "same")
    assert len(of.model.weights) == len(swapped.weights) + 2
    assert all(np.array_equal(own[v.path], v) for v in swapped.weights)
    found = swap.probe(of).values
    assert found["own"] == ["learned"]
    assert "same" in found["under"]


def test_a_random_border_is_the_mean_in_inference():
    of = subject("random")
    found = swap.probe(of).values
    assert found["own"] == ["random"]
    assert found["under"]["mean"]["fall"] == 0


@pytest.mark.full
def test_an_untrained_border_is_none_of_the_others():
    assert not {"learned", "random"} & set(swap.probe(subject("reflect")).values["under"])


def test_a_padding_of_no_name_is_carried_too():
    found = swap.probe(subject(Padding("full", "reflect"))).values
    assert found["own"] == []
    assert "full" in found["under"]


@pytest.mark.full
def test_a_head_that_counts_pixels_fits_only_maps_of_its_size():
    keras.utils.set_random_seed(0)
    loaded = subjects.noise((32, 32, 1), n=8)
    options = {"depth": 11, "width": 0.02, "head": "dense", "dropout": 0.0}
    found = swap.probe(subjects.subject("vgg16", loaded, "same", **options)).values
    assert {"valid", "full"} & set(found["unfit"])
    assert "reflect" in found["under"]


def test_without_a_way_to_build_it_there_is_nothing_to_swap():
    of = dataclasses.replace(subject("same"), rebuild=None)
    with pytest.raises(NotApplicableError, match="it is unknown how to build"):
        swap.probe(of)


def test_a_class_for_every_step_counts_the_scored_ones():
    x = np.random.default_rng(0).normal(size=(8, 20, 1))
    y = np.random.default_rng(1).integers(-1, 2, size=(8, 10))
    loaded = subjects.data(x, y, classes=2, scored_steps=10)
    keras.utils.set_random_seed(0)
    of = subjects.subject("causal_conv1d", loaded, "causal", channels=4, levels=1, head="steps")
    told = of.model.predict(loaded.test.x, verbose=0).argmax(axis=-1)
    assert swap.probe(of).values["accuracy"] == pytest.approx((told == y)[y >= 0].mean())


def test_building_again_moves_no_random_state():
    import random

    of = subject("same")
    python, numpy = random.getstate(), np.random.get_state()[1].tolist()
    swap.probe(of)
    assert random.getstate() == python
    assert np.random.get_state()[1].tolist() == numpy
