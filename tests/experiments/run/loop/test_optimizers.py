import math

import pytest

from conf.reader import ConfigError
from conf.schema import Component
from experiments.run.loop import optimizers

SGD = Component("sgd", {"learning_rate": 0.5, "momentum": 0.9, "nesterov": True})


def rates(schedule, steps=100):
    optimizer = optimizers.build(SGD, schedule, steps=steps)
    return [float(optimizer._learning_rate(step)) for step in range(steps + 1)]


def test_cosine_warms_up_from_nothing_and_ends_at_the_final_share():
    found = rates(Component("cosine", {"warmup": 0.1, "final": 0.02}))
    assert found[0] == 0
    assert found[5] == pytest.approx(0.25)
    assert found[10] == pytest.approx(0.5)
    half_way = 0.5 * (0.02 + 0.98 * (1 + math.cos(math.pi / 2)) / 2)
    assert found[55] == pytest.approx(half_way)
    assert found[100] == pytest.approx(0.01)
    assert max(found) == found[10]


def test_one_cycle_starts_at_its_initial_share():
    found = rates(Component("one_cycle", {"warmup": 0.3, "initial": 0.04, "final": 0.0}))
    assert found[0] == pytest.approx(0.02)
    assert found[30] == pytest.approx(0.5)
    assert found[100] == pytest.approx(0.0, abs=1e-7)


def test_no_warm_up_starts_at_the_peak():
    assert rates(Component("cosine", {"warmup": 0.0, "final": 0.0}))[0] == pytest.approx(0.5)


def test_a_whole_number_is_a_learning_rate():
    optimizer = optimizers.build(
        Component("sgd", {"learning_rate": 1}), Component("constant"), steps=1
    )
    assert float(optimizer.learning_rate) == 1.0


def test_a_constant_rate_stays():
    optimizer = optimizers.build(SGD, Component("constant"), steps=10)
    assert float(optimizer.learning_rate) == pytest.approx(0.5)


def test_weight_decay_spares_biases_and_normalisation():
    import keras

    adamw = Component("adamw", {"learning_rate": 0.0, "weight_decay": 0.1})
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(2), keras.layers.BatchNormalization()]
    )
    optimizer = optimizers.build(adamw, Component("constant"), steps=10)
    optimizer.build(model.trainable_variables)
    decayed = {
        v.path.split("/")[-1] for v in model.trainable_variables if optimizer._use_weight_decay(v)
    }
    assert decayed == {"kernel"}


def test_weight_decay_spares_weight_normalisation():
    import keras

    from models.layers import WeightNormConv1D

    adamw = Component("adamw", {"learning_rate": 0.0, "weight_decay": 0.1})
    model = keras.Sequential([keras.Input((9, 1)), WeightNormConv1D(2, 3)])
    optimizer = optimizers.build(adamw, Component("constant"), steps=10)
    optimizer.build(model.trainable_variables)
    decayed = [v for v in model.trainable_variables if optimizer._use_weight_decay(v)]
    assert [v.path.split("/")[-1] for v in decayed] == ["kernel"]


def test_weight_decay_spares_a_learned_border():
    import keras

    from models.layers import Conv1D
    from models.padding import Padding

    adamw = Component("adamw", {"learning_rate": 0.0, "weight_decay": 0.1})
    model = keras.Sequential(
        [keras.Input((9, 1)), Conv1D(2, 3, padding=Padding("same", "learned"))]
    )
    optimizer = optimizers.build(adamw, Component("constant"), steps=10)
    optimizer.build(model.trainable_variables)
    decayed = [v for v in model.trainable_variables if optimizer._use_weight_decay(v)]
    assert [v.path.split("/")[-1] for v in decayed] == ["kernel"]


@pytest.mark.parametrize(
    ("optimizer", "schedule", "message"),
    [
        (Component("adam", {}), Component("constant"), "did you mean adamw"),
        (SGD, Component("cosin", {}), "did you mean cosine"),
        (Component("sgd", {"learning_rat": 1.0}), Component("constant"), "optimizer.learning_rat"),
        (
            SGD,
            Component("cosine", {"warmup": 2.0, "final": 0.0}),
            "schedule.warmup must be between",
        ),
        (Component("sgd", {"learning_rate": "x"}), Component("constant"), "must be a number"),
        (Component("sgd", {"learning_rate": -1.0}), Component("constant"), "of at least 0"),
    ],
)
def test_mistakes_are_one_line(optimizer, schedule, message):
    with pytest.raises(ConfigError) as caught:
        optimizers.build(optimizer, schedule, steps=10)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
