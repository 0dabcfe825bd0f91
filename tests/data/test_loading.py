"""Splits, examples, normalisation and caching, on a file whose every value is known."""

import numpy as np
import pytest

import data
from data import config as config_module
from data import loading
from data.config import AugmentConfig


@pytest.fixture
def file(tmp_path):
    """1,000 training pictures, the first pixel of each its index; 3 classes, 60 : 30 : 10."""
    rng = np.random.default_rng(0)
    x = rng.random((1000, 4, 6))
    x[:, 0, 0] = np.arange(1000)
    y = rng.permutation(np.repeat([0, 1, 2], [600, 300, 100]))
    path = tmp_path / "own.npz"
    np.savez(path, x_train=x, y_train=y, x_test=x[:90] + 0.5, y_test=y[:90])
    return str(path)


def load(file, **changes):
    return data.load(data.DataConfig("own", "npz", path=file, **changes))


def index(split, spec):
    """The index written into the first pixel, normalisation undone."""
    return np.rint(split.x[:, 0, 0, 0] * spec.std[0] + spec.mean[0]).astype(int)


def test_validation_is_carved_stratified_and_told_by_ids(file):
    d = load(file)
    assert (len(d.train), len(d.validation), len(d.test)) == (900, 100, 90)
    assert d.spec.validation == "carved"
    np.testing.assert_array_equal(np.bincount(d.validation.y), [60, 30, 10])
    np.testing.assert_array_equal(
        np.sort(np.concatenate([d.train.ids, d.validation.ids])), np.arange(1000)
    )
    for split in (d.train, d.validation):
        np.testing.assert_array_equal(index(split, d.spec), split.ids)


def test_the_carve_depends_on_the_seed_alone(file):
    first = load(file).validation.ids
    np.testing.assert_array_equal(first, load(file, examples=50).validation.ids)
    np.testing.assert_array_equal(first, load(file, normalize="none").validation.ids)
    assert not np.array_equal(first, load(file, split_seed=1).validation.ids)
    assert load(file, validation=0).validation is None


def test_examples_are_stratified_and_nested(file):
    few, more = load(file, examples=50), load(file, examples=200)
    assert (len(few.train), len(more.train)) == (50, 200)
    assert np.abs(np.bincount(few.train.y) - [30, 15, 5]).max() <= 1
    assert set(few.train.ids) < set(more.train.ids)
    assert not set(more.train.ids) & set(more.validation.ids)


@pytest.mark.parametrize("changes", [{}, {"validation": 0.37}, {"validation": 0}, {"examples": 77}])
def test_training_examples_are_counted_unread(file, changes):
    found = loading.training_examples(data.DataConfig("own", "npz", path=file, **changes))
    assert found == len(load(file, **changes).train)


@pytest.mark.parametrize("name", ["placed_digits", "co2"])
def test_training_examples_of_a_built_set_are_counted_from_its_description(prepared, name):
    own = data.DataConfig(name, "built", data_dir=str(prepared))
    assert loading.training_examples(own) == len(data.load(own).train)


def test_inputs_are_standardised_by_the_training_examples_in_use(file):
    d = load(file, examples=200)
    with np.load(file) as arrays:
        used = arrays["x_train"][d.train.ids]
    assert d.spec.mean == pytest.approx((used.mean(),))
    assert d.spec.std == pytest.approx((used.std(),))
    assert d.train.x.mean() == pytest.approx(0, abs=1e-4)
    assert d.test.x.mean() != pytest.approx(0, abs=0.1)


def test_types_shapes_and_read_only(file):
    d = load(file, resize=8)
    assert d.spec.input_shape == d.train.x.shape[1:] == (8, 8, 1)
    for split in (d.train, d.validation, d.test):
        assert (split.x.dtype, split.y.dtype, split.ids.dtype) == (np.float32, np.int32, np.int64)
        assert split.x.flags.c_contiguous
        assert split.margin is None
        with pytest.raises(ValueError, match="read-only"):
            split.x[0] = 0


def test_a_resize_scales_margins(prepared):
    cfg = {"name": "placed_digits", "source": "built", "data_dir": str(prepared)}
    plain, small = data.load(data.DataConfig(**cfg)), data.load(data.DataConfig(**cfg, resize=16))
    assert small.spec.input_shape == (16, 16, 1)
    np.testing.assert_allclose(small.test.margin, plain.test.margin / 2)


def test_images_are_read_as_sequences_after_the_resize(file):
    image, plain = load(file, resize=5), load(file, resize=5, sequence=True)
    assert (plain.spec.kind, plain.spec.input_shape) == ("sequence", (25, 1))
    for part in ("train", "validation", "test"):
        x = getattr(image, part).x
        np.testing.assert_array_equal(getattr(plain, part).x, x.reshape(len(x), 25, 1))
    assert plain.spec.mean == pytest.approx(image.spec.mean)
    permuted = load(file, resize=5, sequence=True, permutation=3)
    order = np.random.default_rng(3).permutation(25)
    for part in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(permuted, part).x, getattr(plain, part).x[:, order])


def test_reads_are_shared_unless_the_file_changed(file):
    first = load(file)
    assert load(file, augment=AugmentConfig(flip=True), epochs=3) is first
    with np.load(file) as arrays:
        changed = dict(arrays)
    changed["x_train"] = changed["x_train"] + 1
    np.savez(file, **changed)
    second = load(file)
    assert second is not first
    assert second.spec.fingerprint != first.spec.fingerprint


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"examples": 2}, "between 3 .* and 900"),
        ({"examples": 901}, "between 3 .* and 900"),
        ({"examples": 0}, "data.examples=0 must be a whole number of at least 1"),
        ({"validation": 1.0}, r"data.validation=1.0 must be a fraction in \[0, 1\)"),
        ({"normalize": "standardise"}, "did you mean standardize"),
        ({"resize": -1}, "data.resize=-1"),
        ({"split_seed": -1}, "data.split_seed=-1"),
        ({"version": "1.0.0"}, "data.version='1.0.0' means nothing with source=npz"),
        ({"download": True}, "data.download=True means nothing with source=npz"),
        ({"sequence": 1}, "data.sequence=1 must be true or false"),
        ({"permutation": 0}, "data.permutation shuffles a sequence's pixels: it needs data.seq"),
        ({"sequence": True, "permutation": -1}, "data.permutation=-1 must be a whole number"),
        (
            {"sequence": True, "augment": AugmentConfig(flip=True)},
            "data.sequence=true makes sequences",
        ),
        ({"augment": AugmentConfig(crop=-1)}, "data.augment.crop=-1"),
        ({"augment": AugmentConfig(crop_mode="mirror")}, "data.augment.crop_mode='mirror'"),
        ({"augment": AugmentConfig(cutout=2.5)}, "data.augment.cutout=2.5"),
        ({"augment": AugmentConfig(flip="yes")}, "data.augment.flip='yes'"),
    ],
)
def test_settings_that_mean_nothing(file, changes, says):
    with pytest.raises(data.DataError, match=says) as caught:
        load(file, **changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"name": "x", "source": "disk"}, "data.source='disk' is unknown"),
        ({"name": "../x", "source": "tfds"}, "not a data set's name"),
        ({"name": "x", "source": "npz"}, "needs data.path"),
        ({"name": "mnist", "source": "tfds", "path": "a.npz"}, "data.path='a.npz' means nothing"),
        ({"name": "mnist", "source": "tfds", "kind": "image"}, "data.kind='image' means nothing"),
    ],
)
def test_settings_that_contradict(values, says):
    with pytest.raises(data.DataError, match=says):
        data.fingerprint(data.DataConfig(**values))


def test_sequences_are_neither_resized_nor_augmented(prepared):
    cfg = {"name": "mnist1d", "source": "built", "data_dir": str(prepared)}
    assert data.load(data.DataConfig(**cfg)).spec.kind == "sequence"
    for changes in (
        {"resize": 8},
        {"augment": AugmentConfig(flip=True)},
        {"sequence": True},
    ):
        with pytest.raises(data.DataError, match="is for images"):
            data.load(data.DataConfig(**cfg, **changes))


def test_the_schema_lists_every_source():
    from data.sources import MODULES

    assert set(MODULES) == set(config_module.SOURCES)
