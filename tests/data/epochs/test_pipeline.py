"""The order and the batches of an epoch, and what `fit` makes of them."""

from itertools import product

import keras
import numpy as np
import pytest

import data
from data.config import AugmentConfig
from data.epochs.pipeline import plan_epoch
from experiments.run.loop.batches import epoch_batches

SEEDS = {"epoch": 0, "order_seed": 0, "augment_seed": 0}
ALL = AugmentConfig(flip=True, crop=2, crop_mode="reflect", cutout=3)


def split(n=54, shape=(6, 5, 2)):
    x = np.random.default_rng(0).normal(size=(n, *shape)).astype(np.float32)
    x[:, 0, 0] = np.arange(n)[:, None] if len(shape) == 3 else np.arange(n)
    return data.Split(x, np.arange(n, dtype=np.int32), np.arange(n))


def plan(made=None, batch_size=16, augment=None, **changes):
    values = SEEDS | changes
    return plan_epoch(
        made or split(), batch_size=batch_size, augment=augment or AugmentConfig(), **values
    )


def batches(epoch):
    return [epoch[i] for i in range(len(epoch))]


def test_an_epoch_holds_each_example_once_and_the_partial_batch_last():
    got = batches(plan())
    assert [len(y) for _, y in got] == [16, 16, 16, 6]
    y = np.concatenate([y for _, y in got])
    np.testing.assert_array_equal(np.sort(y), np.arange(54))
    for x, labels in got:
        assert (x.dtype, labels.dtype) == (np.float32, np.int32)
        np.testing.assert_array_equal(x[:, 0, 0, 0], labels)


@pytest.mark.parametrize(
    ("examples", "batch_size", "sizes"),
    [
        (450, 64, [64] * 7),  # 2 left over: far less than a quarter of a batch
        (464, 64, [64] * 7 + [16]),  # a quarter
        (463, 64, [64] * 7),
        (448, 64, [64] * 7),
        (33, 32, [32]),
        (5, 64, [5]),  # less than a batch is all there is
        (7, 3, [3, 3, 1]),
        (9, 5, [5, 4]),
    ],
)
def test_a_last_batch_below_a_quarter_is_left_out(examples, batch_size, sizes):
    got = batches(plan(split(examples), batch_size))
    assert [len(y) for _, y in got] == sizes
    assert data.config.left_out(examples, batch_size) == examples - sum(sizes)


def test_what_one_epoch_leaves_out_others_see():
    seen = set()
    for epoch in range(4):
        got = np.concatenate([y for _, y in batches(plan(split(50), epoch=epoch))])
        assert len(set(got)) == len(got) == 48
        seen |= set(got.tolist())
    assert seen == set(range(50))


def test_steps_cut_the_epoch_short():
    whole, part = batches(plan()), batches(plan(steps=2))
    assert len(part) == 2
    np.testing.assert_array_equal(part[1][1], whole[1][1])
    assert len(plan(steps=99)) == 4


@pytest.mark.parametrize("augment", [AugmentConfig(), ALL])
def test_the_same_seeds_and_epoch_give_the_same_bits(augment):
    for (x1, y1), (x2, y2) in zip(
        batches(plan(augment=augment)), batches(plan(augment=augment)), strict=True
    ):
        np.testing.assert_array_equal(x1, x2)
        np.testing.assert_array_equal(y1, y2)


def test_the_order_follows_the_order_seed_and_the_epoch():
    orders = {tuple(plan(epoch=e, order_seed=s).order) for e, s in product(range(3), range(3))}
    assert len(orders) == 9
    np.testing.assert_array_equal(plan().order, plan(augment_seed=5, augment=ALL).order)


def by_example(**changes):
    """The epoch's inputs, sorted by example."""
    got = batches(plan(augment=ALL, **changes))
    x, y = (np.concatenate(parts) for parts in zip(*got, strict=True))
    return x[np.argsort(y)]


def test_augmentation_belongs_to_the_example_not_to_its_place():
    np.testing.assert_array_equal(by_example(), by_example(order_seed=7))
    np.testing.assert_array_equal(by_example(), by_example(batch_size=7))
    assert not np.array_equal(by_example(), by_example(augment_seed=1))
    assert not np.array_equal(by_example(), by_example(epoch=1))


def test_equal_seeds_do_not_tie_the_two_streams():
    from data.epochs.pipeline import AUGMENT, ORDER, stream

    assert stream(3, ORDER, 2).random() != stream(3, AUGMENT, 2).random()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"batch_size": 0}, "batch_size=0 must be at least 1"),
        ({"epoch": -1}, "epoch=-1 must be at least 0"),
        ({"order_seed": -1}, "order_seed=-1"),
        ({"augment_seed": -1}, "augment_seed=-1"),
        ({"steps": 0}, "steps=0"),
        ({"augment": AugmentConfig(crop_mode="wrap")}, "crop_mode"),
        ({"augment": ALL, "made": split(shape=(9, 1))}, "is for images"),
    ],
)
def test_arguments_that_mean_nothing(changes, says):
    with pytest.raises(data.DataError, match=says):
        plan(**changes)


def model(steps_per_execution=1):
    keras.utils.set_random_seed(0)
    net = keras.Sequential([keras.Input((6, 5, 2)), keras.layers.Flatten(), keras.layers.Dense(54)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(keras.optimizers.SGD(0.01), loss, steps_per_execution=steps_per_execution)
    return net


def fit(net, epochs, **changes):
    for epoch in range(epochs):
        values = {"batch_size": 16} | SEEDS | changes | {"epoch": epoch}
        net.fit(epoch_batches(split(), **values), shuffle=False, verbose=0)
    return net


def test_fit_trains_on_exactly_these_batches():
    by_hand = model()
    for epoch in range(2):
        for x, y in batches(plan(epoch=epoch)):
            by_hand.train_on_batch(x, y)
    fitted = fit(model(), 2)
    assert int(fitted.optimizer.iterations) == 8
    for one, two in zip(by_hand.get_weights(), fitted.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6)


def test_an_uneven_number_of_batches_in_one_execution():
    fitted, plain = fit(model(3), 2), fit(model(), 2)  # 4 batches in threes
    assert int(fitted.optimizer.iterations) == 8
    for one, two in zip(fitted.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6)


def test_one_trace_serves_every_epoch():
    traces = []

    class Traced(keras.layers.Layer):
        def call(self, x):
            traces.append(1)
            return x

    net = keras.Sequential([*model().layers[:1], Traced(), keras.layers.Dense(54)])
    net.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    fit(net, 1)
    after_one = len(traces)
    fit(net, 3)
    assert len(traces) == after_one


def test_a_shuffling_fit_is_refused():
    with pytest.raises(Exception, match=r"fit\(shuffle=False\)"):
        model().fit(epoch_batches(split(400), batch_size=8, **SEEDS), verbose=0, shuffle=True)
