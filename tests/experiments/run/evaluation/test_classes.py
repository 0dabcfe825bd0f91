import keras
import numpy as np
import pytest

from experiments.run.evaluation.classes import by_margin
from experiments.run.evaluation.tested import cost


def test_accuracy_by_margin_counts_every_example_once_with_the_lower_bound_in():
    margin = np.array([-9.0, -4.0, -0.5, 0.0, 2.9, 3.0, 6.0, 40.0])
    right = np.array([1, 0, 1, 1, 0, 1, 0, 0], bool)
    assert by_margin(margin, right) == {
        "below -4": {"accuracy": 1.0, "n": 1},
        "-4 to 0": {"accuracy": 0.5, "n": 2},
        "0 to 3": {"accuracy": 0.5, "n": 2},
        "3 to 6": {"accuracy": 1.0, "n": 1},
        "from 6": {"accuracy": 0.0, "n": 2},
    }


def test_an_empty_bin_is_left_out():
    assert list(by_margin(np.array([1.0]), np.array([True]))) == ["0 to 3"]


def test_cost_sums_the_geometry_and_takes_the_last_map():
    layers = [
        {"output_size": (8, 6), "macs": 100},
        {"output_size": (4, 3), "macs": None},
        {"output_size": (), "macs": 7},
    ]
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    assert cost(model, layers) == {"parameters": 9, "macs": 107, "final_map_size": [4, 3]}


def test_a_network_without_a_trace_has_its_parameters_counted():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    assert cost(model, []) == {"parameters": 9, "macs": None, "final_map_size": []}


def test_probabilities_are_a_softmax_of_the_true_class():
    from data import Split
    from experiments.run.evaluation.classes import accuracies, predict

    unchanged = keras.Sequential([keras.Input((2,)), keras.layers.Identity()])
    logits = np.array([[0.0, np.log(3.0)], [2.0, 2.0], [1000.0, 0.0]], np.float32)
    split = Split(x=logits, y=np.array([1, 0, 1], np.int32), ids=np.arange(3))
    found = predict(unchanged, split)
    assert found["probability"] == pytest.approx([0.75, 0.5, 0.0])
    assert found["predicted"].tolist() == [1, 0, 0]

    class Spec:
        class_names = ("a", "b", "never seen")

    assert accuracies(found, Spec) == {
        "test_accuracy": pytest.approx(2 / 3),
        "per_class_accuracy": {"a": 1.0, "b": 0.5},
    }


def test_of_several_subsets_the_first_is_the_headline():
    from experiments.run.evaluation.classes import accuracies

    class Spec:
        class_names = ("a", "b")

    found = accuracies(
        {
            "label": np.array([0, 1, 0, 1, 1]),
            "predicted": np.array([0, 0, 1, 1, 0]),
            "margin": np.array([1.0, 1.0, 9.0, 9.0, 9.0]),
            "subset": np.array(["z", "z", "a", "a", "a"]),
        },
        Spec,
    )
    assert found == {
        "test_accuracy": 0.5,
        "per_class_accuracy": {"a": 1.0, "b": 0.0},
        "accuracy_by_margin": {"0 to 3": {"accuracy": 0.5, "n": 2}},
        "accuracy_by_subset": {
            "z": {"accuracy": 0.5, "n": 2},
            "a": {"accuracy": pytest.approx(1 / 3), "n": 3},
        },
    }
