"""Sets larger than data.memory: read from disk, and the same to the last bit."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import tensorflow_datasets as tfds

import data
from data import sources
from data.config import AugmentConfig
from data.epochs.pipeline import plan_epoch
from data.sources import streaming
from data.sources.streaming import Streamed
from experiments.run.loop.batches import ordered_batches
from tests.data.sources.test_catalogue import features, rows

SMALL = 1e-6  # GiB: everything streams
ALL = AugmentConfig(flip=True, crop=2, crop_mode="reflect", cutout=3)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The user's cache, empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "padzoo" / "tensorflow_datasets" / "streamed"


@pytest.fixture
def own(tmp_path):
    """`own(…)` is the config of a file: 1,500 pictures of 10×9, more than one piece."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (1500, 10, 9, 3)).astype(np.uint8)
    x_test = rng.integers(0, 256, (50, 10, 9, 3)).astype(np.uint8)
    y, margin = rng.permutation(np.arange(1500) % 3), rng.random(50)
    path = tmp_path / "own.npz"
    np.savez(path, x_train=x, y_train=y, x_test=x_test, y_test=y[:50], margin_test=margin)
    return lambda **changes: data.DataConfig("own", "npz", path=str(path), **changes)


def both(cfg):
    """The set in memory and the set streamed."""
    whole, read = data.load(cfg), data.load(data.DataConfig(**vars(cfg) | {"memory": SMALL}))
    assert whole.streams is None
    assert isinstance(read.train.x, Streamed)
    return whole, read


def assert_same(whole, read, augment):
    assert read.spec == whole.spec
    for name in ("train", "validation", "test"):
        one, two = getattr(whole, name), getattr(read, name)
        if one is None:
            assert two is None
            continue
        assert (two.x.shape, two.x.dtype, two.x.ndim) == (one.x.shape, one.x.dtype, one.x.ndim)
        np.testing.assert_array_equal(two.x[:], one.x)
        for column in ("y", "ids", "margin", "source_ids"):
            np.testing.assert_array_equal(getattr(two, column), getattr(one, column))
    seeds = {"batch_size": 32, "epoch": 1, "order_seed": 2, "augment_seed": 3}
    epochs = [plan_epoch(split, **seeds, augment=augment) for split in (whole.train, read.train)]
    for i in range(len(epochs[0])):
        for one, two in zip(epochs[0][i], epochs[1][i], strict=True):
            assert one.dtype == two.dtype
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("normalize", ["standardize", "unit", "none"])
@pytest.mark.parametrize("resize", [None, 12])
def test_a_file_streams_to_the_same_bits(own, normalize, resize):
    whole, read = both(own(normalize=normalize, resize=resize, examples=1200))
    assert_same(whole, read, ALL)


@pytest.mark.full
@pytest.mark.parametrize("name", ["placed_digits", "mnist1d"])
def test_a_made_set_streams_to_the_same_bits(prepared, name):
    whole, read = both(data.DataConfig(name, "built", data_dir=str(prepared)))
    assert_same(whole, read, AugmentConfig())


class PadzooVaried(tfds.core.GeneratorBasedBuilder):
    """Pictures of two sizes."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        varied = features(image=tfds.features.Image(shape=(None, None, 3)))
        return tfds.core.DatasetInfo(builder=self, features=varied, disable_shuffling=True)

    def _split_generators(self, dl_manager):
        mixed = rows(9, size=(6, 5, 3)) + rows(6, size=(9, 4, 3), seed=1)
        return {name: self._generate_examples(mixed) for name in ("train", "test")}

    def _generate_examples(self, made):
        yield from enumerate(made)


def varied(folder, **changes):
    PadzooVaried(data_dir=folder, file_format="array_record").download_and_prepare()
    return data.DataConfig("padzoo_varied", "tfds", data_dir=str(folder), **changes)


def test_pictures_of_many_sizes_stream_to_the_same_bits(tmp_path):
    whole, read = both(varied(tmp_path, resize=7, normalize="none"))
    one_size = np.stack([row["image"] for row in rows(9)])
    np.testing.assert_array_equal(read.test.x[:9], streaming.resize_images(one_size, 7))
    assert read.train.x.rows.dtype == np.float32
    assert_same(whole, read, ALL)


def test_the_files_hold_what_is_stored_and_serve_every_setting(own, cache, monkeypatch):
    first = data.load(own(memory=SMALL))
    assert first.train.x.rows.dtype == np.uint8
    monkeypatch.setattr(streaming, "_write", lambda *_: pytest.fail("written again"))
    data.load(own(memory=SMALL, normalize="unit", examples=500, split_seed=4, validation=0.3))
    assert len(list(cache.glob("[!.]*"))) == 1


def test_other_content_and_other_sizes_are_other_files(own, cache):
    data.load(own(memory=SMALL))
    data.load(own(memory=SMALL, resize=7))
    with np.load(own().path) as file:
        arrays = dict(file)
    np.savez(own().path, **arrays | {"x_test": arrays["x_test"] + 1})
    changed = data.load(own(memory=SMALL, normalize="none"))
    np.testing.assert_array_equal(changed.test.x[:], arrays["x_test"] + np.uint8(1))
    assert len(list(cache.glob("[!.]*"))) == 3


def test_what_an_interrupt_or_a_kill_leaves_is_not_used(own, cache, monkeypatch):
    with monkeypatch.context() as patch:
        stored = sources.read(own())
        train = stored.splits["train"]
        stored.splits["train"] = replace(train, pieces=lambda: stops(train.pieces))
        patch.setattr(sources, "read", lambda cfg: stored)
        with pytest.raises(KeyboardInterrupt):
            data.load(own(memory=SMALL))
        assert [path for path in cache.iterdir() if path.is_dir()] == []
    data.load(own(memory=SMALL))
    (complete,) = cache.glob("[!.]*")
    # A kill cannot tidy up: the folder keeps its unfinished name, here with wrong numbers in it.
    unfinished = cache / f".{complete.name}.part"
    complete.rename(unfinished)
    np.save(unfinished / "train.x.npy", np.zeros((1500, 10, 9, 3), np.uint8))
    assert_same(*both(own(normalize="unit")), AugmentConfig())
    assert not unfinished.exists()


def stops(pieces):
    """The first of the pieces, then Ctrl-C."""
    yield next(pieces())
    raise KeyboardInterrupt


def test_a_set_is_not_held_whole(own, tmp_path):
    x = np.zeros((12000, 32, 32, 3), np.uint8)
    x[:, 0] = np.arange(12000)[:, None, None] % 251
    y = np.arange(12000) % 3
    np.savez(tmp_path / "own.npz", x_train=x, y_train=y, x_test=x[:99], y_test=y[:99])
    peaks = {}
    for memory in (SMALL, "auto"):
        tracemalloc.start()
        loaded = data.load(own(memory=memory))
        epoch = plan_epoch(
            loaded.train, batch_size=64, epoch=0, order_seed=0, augment_seed=0, augment=ALL
        )
        for i in range(len(epoch)):
            epoch[i]
        peaks[memory] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peaks["auto"] > 4 * x.size
    assert peaks[SMALL] < 2 * x.size  # pieces of 1,024 examples in float64, twice


def test_a_streamed_split_is_never_made_an_array_by_accident(own):
    x = data.load(own(memory=SMALL)).train.x
    with pytest.raises(TypeError, match="cannot be read as one array"):
        np.asarray(x)


def test_ordered_batches_are_the_split_in_its_order(own):
    whole, read = both(own())
    batches = ordered_batches(read.test, batch_size=16)
    x, y = (
        np.concatenate(parts) for parts in zip(*map(batches.__getitem__, range(4)), strict=True)
    )
    np.testing.assert_array_equal(x, whole.test.x)
    np.testing.assert_array_equal(y, whole.test.y)


def test_the_line_says_how_large_and_which_setting(own, monkeypatch):
    size = 4 * 1550 * 10 * 9 * 3
    loaded = data.load(own(memory=0.001))
    assert loaded.streams == "own streams from disk: 1.6 MiB as float32, data.memory=0.001"
    assert data.load(own(memory=1.01 * size / 2**30)).streams is None
    assert data.load(own(memory=0.99 * size / 2**30)).streams
    monkeypatch.setattr(streaming, "_free", lambda: 4 * 2**20)
    says = "own streams from disk: 1.6 MiB as float32, data.memory=auto, 1.0 MiB here"
    assert data.load(own(epochs=3, split_seed=9)).streams == says


def test_without_room_for_the_files_one_line(own, cache, monkeypatch):
    usage = streaming.shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(streaming.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(
        data.DataError, match=r"1000 bytes free, and the set takes .* data.data_dir"
    ):
        data.load(own(memory=SMALL))


def test_a_folder_of_prepared_sets_that_is_only_read_stays_as_it_is(own, cache, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o555)
    data.load(own(memory=SMALL, data_dir=str(shared)))
    assert list(shared.iterdir()) == []
    assert len(list(cache.glob("[!.]*"))) == 1


@pytest.mark.parametrize("memory", ["lots", 0, -1.0, float("nan"), float("inf")])
def test_amounts_of_memory_that_mean_nothing(own, memory):
    with pytest.raises(data.DataError, match="must be auto or a number of GiB above 0"):
        data.load(own(memory=memory))


def test_a_resize_does_not_depend_on_the_batch():
    x = np.random.default_rng(0).integers(0, 256, (40, 13, 11, 3)).astype(np.uint8)
    one_by_one = [streaming.resize_images(x[i : i + 1], 17) for i in range(40)]
    np.testing.assert_array_equal(np.concatenate(one_by_one), streaming.resize_images(x, 17))
