"""Arrays with their channels first: read so where that is asked, told where it is likely."""

import hashlib
import json

import numpy as np
import pytest
import tensorflow_datasets as tfds

import data
from data.shapes import shape
from data.sources import npz_export

RNG = np.random.default_rng(0)
SMALL = 1e-6  # GiB: everything streams
FIRST = "channels_first"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The user's cache, empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def config(tmp_path):
    """`config(x, …)` writes 30 training examples and 6 to test, and returns their config."""

    def write(x, name="own", y=None, **settings):
        y = np.arange(36) % 3 if y is None else y
        splits = {"x_train": x[:30], "y_train": y[:30], "x_test": x[30:], "y_test": y[30:]}
        np.savez(tmp_path / f"{name}.npz", **splits)
        settings = {"normalize": "none", **settings}
        return data.DataConfig("own", "npz", path=f"{tmp_path / name}.npz", **settings)

    return write


def assert_same(one, two):
    for split in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(one, split).x[:], getattr(two, split).x[:])
        np.testing.assert_array_equal(getattr(one, split).y, getattr(two, split).y)
    assert (one.spec.kind, one.spec.input_shape) == (two.spec.kind, two.spec.input_shape)
    assert (one.spec.mean, one.spec.std) == (two.spec.mean, two.spec.std)


@pytest.mark.parametrize("memory", ["auto", SMALL])
@pytest.mark.parametrize("normalize", ["standardize", "none"])
@pytest.mark.parametrize(
    ("sizes", "kind"), [((3, 8, 6), "image"), ((3, 20), "sequence"), ((1, 8, 8), "image")]
)
def test_channels_first_are_channels_last_once_they_are_read(
    config, sizes, kind, normalize, memory
):
    x = RNG.random((36, *sizes))
    rest = {"normalize": normalize, "memory": memory}
    moved = data.load(config(x, layout=FIRST, **rest))
    plain = data.load(config(np.moveaxis(x, 1, -1), "last", kind=kind, **rest))
    assert_same(moved, plain)
    assert moved.spec.input_shape == (*sizes[1:], sizes[0])
    assert not [note for note in moved.notes if "channels" in note]


def test_a_resize_comes_after(config):
    x = RNG.random((36, 3, 8, 6))
    moved = data.load(config(x, layout=FIRST, resize=5))
    assert_same(moved, data.load(config(np.moveaxis(x, 1, -1), "last", resize=5)))


def test_labels_of_steps_count_the_steps(config):
    x, y = RNG.random((36, 2, 20)), RNG.integers(0, 3, (36, 5))
    moved = data.load(config(x, y=y, layout=FIRST))
    assert (moved.spec.input_shape, moved.spec.scored_steps) == ((20, 2), 5)
    np.testing.assert_array_equal(moved.test.y, y[30:])


def test_the_file_that_prepare_writes_has_its_channels_last(config, tmp_path):
    for sizes in ((3, 8, 6), (3, 20)):
        cfg = config(RNG.random((36, *sizes)), layout=FIRST)
        written = npz_export.write(cfg, str(data.fingerprint(cfg)), tmp_path / "out.npz")
        assert written.layout == "channels_last"
        assert_same(data.load(cfg), data.load(written))


def test_the_shape_that_is_known_before_reading(config):
    assert shape(config(RNG.random((36, 3, 8, 6)), layout=FIRST)).input_shape == (8, 6, 3)


def test_what_streams_has_files_of_its_own_by_layout(config, tmp_path):
    x = RNG.random((36, 4, 4, 4))
    for layout in ("channels_last", FIRST, "channels_last"):
        d = data.load(config(x, layout=layout, memory=SMALL))
        expected = x[30:] if layout == "channels_last" else np.moveaxis(x[30:], 1, -1)
        np.testing.assert_array_equal(d.test.x[:], expected.astype(np.float32))
    assert len(list((tmp_path / "cache").rglob("test.x.npy"))) == 2


def test_the_files_of_a_set_that_streams_keep_their_name(config, tmp_path):
    """That of before there was another layout."""
    cfg = config(RNG.random((36, 4, 4, 4)), memory=SMALL)
    data.load(cfg)
    settings = {"kind": None, "name": "own", "resize": None, "source": "npz", "test": 0.2}
    key = json.dumps([1, data.fingerprint(cfg), settings]).encode()
    name = f"own-{hashlib.sha256(key).hexdigest()[:12]}"
    assert [file.parent.name for file in tmp_path.rglob("test.x.npy")] == [name]


@pytest.mark.parametrize(
    ("sizes", "settings", "says"),
    [
        ((3, 32, 32), {}, "images (n, height, width, channels); the channels seem to come first"),
        ((1, 28, 28), {}, "the channels seem to come first: data.layout=channels_first"),
        ((4, 48, 64), {}, "the channels seem to come first: data.layout=channels_first"),
        ((13, 64, 64), {}, "the channels seem to come first: data.layout=channels_first"),
        ((3, 100), {"kind": "sequence"}, "sequences (n, time, channels); the channels seem to"),
        ((9, 128), {"kind": "sequence"}, "the channels seem to come first"),
        ((12, 1000), {}, "if these are sequences (n, channels, time): data.layout=channels_first"),
        ((3, 100), {}, "if these are sequences (n, channels, time): data.layout=channels_first"),
        ((100, 3), {}, "if these are sequences (n, time, channels): data.kind=sequence"),
        ((32, 32, 3), {"layout": FIRST}, "channels_first says, but its channels seem to come last"),
        ((100, 3), {"layout": FIRST}, "channels_first says, but its channels seem to come last"),
    ],
)
def test_what_is_likely_of_another_layout_is_told_in_one_line(config, sizes, settings, says):
    (note,) = data.load(config(RNG.random((36, *sizes)), **settings)).notes
    assert note.startswith(f"own: x_train of shape {(30, *sizes)} is read as ")
    assert says in note
    assert "\n" not in note


@pytest.mark.parametrize(
    ("sizes", "settings"),
    [
        ((32, 32, 3), {}),
        ((28, 28, 1), {}),
        ((8, 8), {}),
        ((40, 100), {}),
        ((9, 9, 100), {}),
        ((5, 5, 4), {}),
        ((64,), {}),
        ((100, 3), {"kind": "sequence"}),
        ((50, 128), {"kind": "sequence"}),
        ((3, 32, 32), {"layout": FIRST}),
        ((3, 100), {"layout": FIRST}),
    ],
)
def test_what_is_plain_has_no_line(config, sizes, settings):
    assert data.load(config(RNG.random((36, *sizes)), **settings)).notes == ()


@pytest.mark.parametrize(
    ("sizes", "settings", "says"),
    [
        ((20,), {"layout": FIRST}, r"channels_first does not fit x_train of shape \(30, 20\): im"),
        ((8, 6), {"layout": FIRST, "kind": "image"}, "channels_first does not fit x_train"),
        ((3, 8, 6), {"layout": FIRST, "kind": "sequence"}, "data.kind=sequence does not fit"),
        ((3, 8, 6), {"layout": "NCHW"}, "data.layout='NCHW' is unknown; allowed: channels_last"),
        ((3, 8, 6), {"layout": "channel_first"}, "did you mean channels_first"),
    ],
)
def test_what_does_not_fit(config, sizes, settings, says):
    with pytest.raises(data.DataError, match=says):
        data.load(config(RNG.random((36, *sizes)), **settings))


@pytest.mark.parametrize("source", ["built", "image_folder"])
def test_sets_that_have_their_channels_last_anyway(tmp_path, source):
    where = {"path": str(tmp_path)} if source == "image_folder" else {}
    with pytest.raises(data.DataError, match="data.layout='channels_first' means nothing with"):
        data.load(data.DataConfig("mnist1d", source, layout=FIRST, **where))


class PadzooFirst(tfds.core.GeneratorBasedBuilder):
    """Recordings of three series of 40 steps, a row each."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        sequence = tfds.features.Tensor(shape=(3, 40), dtype=np.float32)
        label = tfds.features.ClassLabel(num_classes=2)
        features = tfds.features.FeaturesDict({"sequence": sequence, "label": label})
        return tfds.core.DatasetInfo(builder=self, features=features, disable_shuffling=True)

    def _split_generators(self, dl_manager):
        return {name: self._generate_examples() for name in ("train", "test")}

    def _generate_examples(self):
        for i in range(20):
            yield i, {"sequence": recording(i), "label": i % 2}


def recording(i):
    return np.random.default_rng(i).random((3, 40)).astype(np.float32)


@pytest.mark.parametrize("memory", ["auto", SMALL])
def test_a_prepared_set_with_its_channels_first(tmp_path, memory):
    PadzooFirst(data_dir=tmp_path, file_format="array_record").download_and_prepare()
    where = {"data_dir": str(tmp_path), "normalize": "none", "memory": memory}
    likely = data.load(data.DataConfig("padzoo_first", "tfds", **where))
    assert likely.notes[0].endswith("the channels seem to come first: data.layout=channels_first")
    moved = data.load(data.DataConfig("padzoo_first", "tfds", layout=FIRST, **where))
    assert moved.spec.input_shape == (40, 3)
    np.testing.assert_array_equal(moved.test.x[:], np.stack([recording(i).T for i in range(20)]))
