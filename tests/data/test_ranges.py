"""Values that are finite where they are stored, and are not, or are all one, when used."""

import warnings

import numpy as np
import pytest
import tensorflow_datasets as tfds

import data
from data import transforms

RNG = np.random.default_rng(0)
SMALL = 1e-6  # GiB: everything streams


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The user's cache, empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def load(tmp_path):
    """`load(arrays, …)` reads a file of 40 pictures of 4×4 in two channels, and what is changed."""

    def call(changed=None, **settings):
        arrays = {
            f"{key}_{split}": RNG.random((n, 4, 4, 2)) if key == "x" else np.arange(n) % 2
            for split, n in {"train": 40, "validation": 8, "test": 8}.items()
            for key in "xy"
        }
        arrays = {n: v for n, v in {**arrays, **(changed or {})}.items() if v is not None}
        np.savez(tmp_path / "own.npz", **arrays)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # one line says it, and no other
            return data.load(data.DataConfig("own", "npz", path=f"{tmp_path}/own.npz", **settings))

    return call


def with_one(value, n=8, dtype=np.float64):
    x = RNG.random((n, 4, 4, 2)).astype(dtype)
    x[n // 2, 1, 2, 1] = value
    return x


def spread(low, high, dtype=np.float64):
    """Training pictures between two values."""
    share = np.arange(40 * 32).reshape(40, 4, 4, 2) % 7 / 6
    return (low * (1 - share) + high * share).astype(dtype)


NONE, UNIT, STANDARDIZE = ({"normalize": how} for how in ("none", "unit", "standardize"))
SPLITS = [("train", 40), ("validation", 8), ("test", 8)]
BEYOND = r"the {} split of own holds {}, which after data.normalize={} .* is too large for float32"


@pytest.mark.parametrize("memory", ["auto", SMALL])
@pytest.mark.parametrize(("split", "n"), SPLITS)
def test_a_value_too_large_for_float32_is_named_with_its_split(load, split, n, memory):
    with pytest.raises(data.DataError, match=BEYOND.format(split, r"1e\+39", "none")):
        load({f"x_{split}": with_one(1e39, n)}, **NONE, memory=memory)
    with pytest.raises(
        data.DataError, match=f"the {split} split .* 2e.39, too large .* data.resize=8"
    ):
        load({f"x_{split}": with_one(-2e39, n)}, resize=8, memory=memory)
    assert load({f"x_{split}": with_one(1e38, n)}, **NONE, memory=memory).spec.normalize == "none"


@pytest.mark.parametrize("memory", ["auto", SMALL])
def test_of_a_validation_split_that_is_carved_too(load, memory):
    own = {"x_validation": None, "y_validation": None}
    carved = load(own, memory=memory).validation.ids
    x = RNG.random((40, 4, 4, 2))
    x[carved[0], 0, 0, 0] = 1e39
    with pytest.raises(data.DataError, match=BEYOND.format("validation", r"1e\+39", "none")):
        load(own | {"x_train": x}, **NONE, memory=memory)


@pytest.mark.parametrize("memory", ["auto", SMALL])
@pytest.mark.parametrize(("split", "n"), SPLITS[1:])
@pytest.mark.parametrize("how", [STANDARDIZE, UNIT])
def test_after_the_training_splits_statistics(load, how, split, n, memory):
    said = BEYOND.format(split, r"1e\+200", how["normalize"])
    with pytest.raises(data.DataError, match=said):
        load({f"x_{split}": with_one(1e200, n)}, **how, memory=memory)


@pytest.mark.parametrize("memory", ["auto", SMALL])
@pytest.mark.parametrize(
    ("x", "how", "says"),
    [
        (spread(0, 1e200), STANDARDIZE, r"train split of own holds 1e\+200, too large for the sta"),
        (spread(-1e308, 1e308), UNIT, r"holds 1e\+308, too large for the statistics of .*=unit"),
        (spread(0, 1.7e308), STANDARDIZE, r"holds 1.7e\+308, too large for the statistics"),
        (spread(0, 1e-200), STANDARDIZE, "goes from 0.0 to 1e-200, which after .* are equal"),
        (spread(0, 1e-50), NONE, "goes from 0.0 to 1e-50, which after data.normalize=none are"),
        (spread(1.7e9, 1.7e9 + 30), NONE, "channel 0 .* goes from 1700000000.0 to 1700000030.0"),
        (spread(1.7e9, 1.7e9 + 30, np.int64), NONE, "goes from 1700000000 to 1700000030, which"),
    ],
)
def test_what_training_would_go_on_with_is_refused(load, x, how, says, memory):
    with pytest.raises(data.DataError, match=says):
        load({"x_train": x}, **how, memory=memory)


@pytest.mark.parametrize("memory", ["auto", SMALL])
def test_what_is_in_range_is_what_it_was(load, memory):
    """Large and small values as long as float32 tells them apart."""
    for x, how in [
        (spread(0, 1e100), STANDARDIZE),
        (spread(0, 1e300), UNIT),
        (spread(1.7e9, 1.7e9 + 30, np.int64), STANDARDIZE),
        (spread(0, 1e-30), NONE),
    ]:
        x_train = load({"x_train": x, "x_validation": x[:8], "x_test": x[:8]}, **how, memory=memory)
        used = x_train.train.x[:]
        assert np.isfinite(used).all()
        assert (used.min() < used.max()) == (x.min() < x.max())


def test_the_extremes_are_those_of_numpy_over_several_pieces():
    x = np.random.default_rng(0).normal(size=(2500, 3, 4, 2))
    low, high = transforms.extremes(x)
    np.testing.assert_array_equal(low, x.min(axis=(0, 1, 2)))
    np.testing.assert_array_equal(high, x.max(axis=(0, 1, 2)))
    x[2000, 1, 1, 1] = np.nan
    assert np.isnan(np.stack(transforms.extremes(x))).tolist() == [[False, True]] * 2


class PadzooHoled(tfds.core.GeneratorBasedBuilder):
    """Sequences, of which one of the test split has a hole."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        sequence = tfds.features.Tensor(shape=(7, 1), dtype=np.float32)
        label = tfds.features.ClassLabel(num_classes=2)
        features = tfds.features.FeaturesDict({"sequence": sequence, "label": label})
        return tfds.core.DatasetInfo(builder=self, features=features, disable_shuffling=True)

    def _split_generators(self, dl_manager):
        return {name: self._generate_examples(name) for name in ("train", "test")}

    def _generate_examples(self, split):
        for i in range(20):
            x = np.random.default_rng(i).random((7, 1)).astype(np.float32)
            if (split, i) == ("test", 5):
                x[3] = np.nan
            yield i, {"sequence": x, "label": i % 2}


@pytest.mark.parametrize("memory", ["auto", SMALL])
def test_a_prepared_set_with_a_hole(tmp_path, memory):
    PadzooHoled(data_dir=tmp_path, file_format="array_record").download_and_prepare()
    cfg = data.DataConfig("padzoo_holed", "tfds", data_dir=str(tmp_path), memory=memory)
    with pytest.raises(data.DataError, match="the test split of padzoo_holed holds NaN, infinity"):
        data.load(cfg)


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("margin_test", 1e39, "margin_test holds NaN, infinity or values too large for float32"),
        ("margin_test", np.nan, "margin_test holds NaN"),
        ("source_ids_test", np.nan, "source_ids_test holds numbers that are not whole numbers"),
        ("source_ids_test", 0.5, "source_ids_test holds numbers that are not whole numbers"),
        ("source_ids_test", 1e300, "source_ids_test holds numbers that are not whole .* 64 bits"),
        ("y_test", 1e300, "y_test holds numbers that are not whole numbers of 64 bits"),
    ],
)
def test_columns_beside_the_inputs(load, column, value, says):
    values = np.zeros(8)
    values[3] = value
    with pytest.raises(data.DataError, match=says):
        load({column: values})


@pytest.mark.parametrize("memory", ["auto", SMALL])
@pytest.mark.parametrize(("value", "dtype"), [(7, np.uint8), (1e9, np.float32), (-0.5, np.float64)])
def test_a_training_split_of_one_value_is_refused(load, value, dtype, memory):
    with pytest.raises(data.DataError) as caught:
        load({"x_train": np.full((40, 4, 4, 2), value, dtype)}, memory=memory)
    said = str(caught.value)
    assert said.startswith("every value of the train split of own is ")
    assert said.endswith("there is nothing to learn from")


def test_one_picture_of_one_value_is_no_matter(load):
    x = RNG.integers(0, 256, (40, 4, 4, 2), np.uint8)
    x[0] = 3
    assert len(load({"x_train": x}, validation=0).train) == 40
