"""Errors by distance to the border, from predictions whose errors are known."""

import keras
import numpy as np
import pytest

from data import Spec, Split
from experiments.run.evaluation import images, tested
from experiments.run.evaluation.diverged import DivergedError
from experiments.run.loop import objectives


def spec(**more):
    values = {
        "kind": "image",
        "input_shape": (5, 6, 1),
        "num_classes": 1,
        "class_names": (),
        "fingerprint": "x",
        "mean": (10.0,),
        "std": (2.0,),
        "normalize": "standardize",
        "validation": "none",
        "test": "test",
        "target_mean": (10.0,),
        "target_std": (2.0,),
        "target_range": 255.0,
    }
    return Spec(**{**values, **more})


def split(x, y=None, **more):
    return Split(x, x if y is None else y, np.arange(len(x)), **more)


def adds(amount, shape=(5, 6, 1)):
    """A network that adds a fixed image to its input."""
    inputs = keras.Input(shape)
    return keras.Model(inputs, inputs + np.asarray(amount, np.float32))


def at_the_border(value, height=5, width=6):
    amount = np.zeros((height, width, 1))
    amount[images.rings(height, width) == 0] = value
    return amount


X = np.random.default_rng(0).normal(size=(3, 5, 6, 1)).astype(np.float32)


def test_rings_count_the_pixels_to_the_nearest_border():
    np.testing.assert_array_equal(
        images.rings(5, 6)[:3],
        [[0, 0, 0, 0, 0, 0], [0, 1, 1, 1, 1, 0], [0, 1, 2, 2, 1, 0]],
    )


def test_reconstruction_has_its_error_in_stored_units_where_it_is():
    predictions = tested.predict(adds(at_the_border(0.5)), split(X), spec(), "reconstruction")
    found = tested.results(predictions, spec(), "reconstruction")
    rings = found["error_by_distance"]
    assert [r["distance"] for r in rings] == [0, 1, 2]
    assert [r["pixels"] for r in rings] == [54, 30, 6]
    assert [r["error"] for r in rings] == pytest.approx([1.0, 0.0, 0.0], abs=1e-6)
    assert found["test_mae"] == pytest.approx(18 / 30)
    np.testing.assert_allclose(predictions["value"], 18 / 30, rtol=1e-5)
    np.testing.assert_allclose(predictions["shown_input"], X * 2 + 10, atol=1e-5)


def test_super_resolution_has_the_mean_psnr_and_root_mean_squares():
    predictions = tested.predict(adds(at_the_border(0.5)), split(X), spec(), "super_resolution")
    found = tested.results(predictions, spec(), "super_resolution")
    assert found["test_psnr"] == pytest.approx(10 * np.log10(255**2 / (18 / 30)), rel=1e-5)
    assert found["error_by_distance"][0]["error"] == pytest.approx(1.0, rel=1e-5)


def test_the_square_of_a_colours_error_is_taken_before_the_mean_over_colours():
    x = np.zeros((2, 5, 6, 3), np.float32)
    inputs = keras.Input((5, 6, 3))
    model = keras.Model(inputs, inputs + np.array([3.0, 0, 0], np.float32))
    own = spec(
        input_shape=(5, 6, 3),
        mean=(0,) * 3,
        std=(1,) * 3,
        target_std=(1,) * 3,
        target_mean=(0,) * 3,
    )
    predictions = tested.predict(model, split(x, x), own, "super_resolution")
    found = tested.results(predictions, own, "super_resolution")
    assert found["test_psnr"] == pytest.approx(10 * np.log10(255**2 / 3), rel=1e-6)
    assert found["error_by_distance"][0]["error"] == pytest.approx(np.sqrt(3), rel=1e-6)


def test_segmentation_has_mean_iou_and_wrong_pixels():
    """The network gives its input's two channels: class 1 where the second is larger."""
    x = np.zeros((2, 5, 6, 2), np.float32)
    x[..., 1] = -1
    x[:, :, 3:, 1] = 1
    y = (x[..., 1] > 0).astype(np.int32)
    y[0, 0, 0] = 1  # wrong at the border
    y[1, 0, 0] = -1  # does not count
    own = spec(num_classes=3, class_names=("a", "b", "c"), mean=(0, 0), std=(1, 1))
    inputs = keras.Input((5, 6, 2))
    third = keras.layers.Concatenate()([inputs, inputs[..., :1] * 0 - 9])
    model = keras.Model(inputs, third)
    predictions = tested.predict(model, split(x, y), own, "segmentation")
    found = tested.results(predictions, own, "segmentation")
    # Class a: 29 of 58 counted pixels predicted, 28 of them right; class b: 30 and all of 31.
    of_class = {"a": 28 / 29, "b": 30 / 31}
    assert found["per_class_iou"] == pytest.approx(of_class)
    assert found["test_mean_iou"] == pytest.approx(np.mean(list(of_class.values())))
    assert found["error_by_distance"][0] == {
        "distance": 0,
        "error": pytest.approx(100 / 35),
        "pixels": 35,
    }


def test_pixels_that_are_not_predicted_have_no_ring():
    inputs = keras.Input((5, 6, 1))
    model = keras.Model(inputs, keras.layers.Cropping2D(1)(inputs))
    own = split(X, frame=((1, 3), (1, 4)))
    found = tested.results(
        tested.predict(model, own, spec(), "reconstruction"), spec(), "reconstruction"
    )
    assert [r["distance"] for r in found["error_by_distance"]] == [1, 2]
    assert found["test_mae"] == 0


def test_the_network_that_is_off_in_one_channel_is_off_by_the_mean():
    x = np.zeros((2, 5, 6, 2), np.float32)
    own = spec(mean=(0, 0), std=(1, 1), target_mean=(0, 0), target_std=(1, 3), num_classes=2)
    found = tested.results(
        tested.predict(adds(np.array([0, 1]), (5, 6, 2)), split(x), own, "reconstruction"),
        own,
        "reconstruction",
    )
    assert found["test_mae"] == pytest.approx(1.5)


def test_outputs_that_are_not_finite_are_refused():
    with pytest.raises(DivergedError, match="not finite"):
        tested.predict(adds(at_the_border(np.inf)), split(X), spec(), "reconstruction")


@pytest.mark.parametrize("task", ["reconstruction", "super_resolution", "segmentation"])
def test_the_measure_shown_in_training_is_that_of_the_test(task):
    """Keras' metric over batches of all images equals what is computed from the predictions."""
    rng = np.random.default_rng(1)
    if task == "segmentation":
        x = rng.normal(size=(8, 5, 6, 3)).astype(np.float32)
        y = rng.integers(-1, 3, (8, 5, 6)).astype(np.int32)
        own = spec(num_classes=3, class_names=("a", "b", "c"), mean=(0,) * 3, std=(1,) * 3)
        inputs = keras.Input((5, 6, 3))
        model = keras.Model(inputs, inputs * 1.0)
    else:
        x, own = rng.normal(size=(8, 5, 6, 1)).astype(np.float32), spec()
        y, model = x, adds(rng.normal(size=(5, 6, 1)))
    model.compile(
        loss=objectives.loss(task, own.num_classes),
        metrics=objectives.measures(task, own.num_classes, own),
    )
    logs = model.evaluate(x, y, batch_size=4, verbose=0, return_dict=True)
    found = tested.results(tested.predict(model, split(x, y), own, task), own, task)
    (name,) = set(logs) - {"loss"}
    assert found[f"test_{name}"] == pytest.approx(logs[name], rel=1e-5)
