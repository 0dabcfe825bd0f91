"""The shape that is known before a set is prepared is that of the set."""

import dataclasses

import numpy as np
import pytest

import data
from data.shapes import Shape, shape


@pytest.mark.parametrize("name", ["placed_digits", "mnist1d", "co2"])
@pytest.mark.parametrize("ready", [False, True])
def test_built_sets(prepared, tmp_path, name, ready):
    cfg = data.DataConfig(name, "built", data_dir=str(prepared))
    spec = data.load(cfg).spec
    asked = cfg if ready else dataclasses.replace(cfg, data_dir=str(tmp_path / "empty"))
    assert shape(asked) == Shape(spec.input_shape, spec.num_classes, spec.scored_steps)
    assert not (tmp_path / "empty").exists()


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        ({"name": "cifar10"}, Shape((32, 32, 3), 10)),
        ({"name": "cifar10", "resize": 48}, Shape((48, 48, 3), 10)),
        ({"name": "mnist", "sequence": True}, Shape((784, 1), 10)),
        ({"name": "mnist", "sequence": True, "resize": 8}, Shape((64, 1), 10)),
        ({"name": "emnist/balanced"}, Shape((28, 28, 1), 47)),
        ({"name": "food101"}, Shape((None, None, 3), 101)),
        ({"name": "food101", "sequence": True}, Shape((None, 3), 101)),
    ],
)
def test_the_catalogue_is_asked_without_a_download(tmp_path, asked, known):
    cfg = data.DataConfig(source="tfds", data_dir=str(tmp_path / "empty"), **asked)
    assert shape(cfg) == known
    assert not (tmp_path / "empty").exists()


def test_arrays_of_ones_own(tmp_path):
    path = tmp_path / "my.npz"
    x, y = np.zeros((6, 5, 7), "float32"), np.arange(6) % 3
    np.savez(path, x_train=x, y_train=y, x_test=x, y_test=y)
    cfg = data.DataConfig("mine", "npz", path=str(path))
    assert shape(cfg) == Shape((5, 7, 1), 3)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"name": "cifar_10", "source": "tfds"}, "did you mean cifar10"),
        ({"name": "mnist1", "source": "built"}, "did you mean mnist1d"),
        ({"name": "mnist1d", "source": "built", "resize": 8}, "resize is for images"),
        ({"name": "mine", "source": "npz", "path": "nowhere.npz"}, "nowhere.npz"),
        ({"name": "coco", "source": "tfds"}, "not an image classification set"),
    ],
)
def test_mistakes_are_told(tmp_path, asked, says):
    folder = {"data_dir": str(tmp_path)}
    with pytest.raises(data.DataError, match=says) as error:
        shape(data.DataConfig(**folder, **asked))
    assert "\n" not in str(error.value)
