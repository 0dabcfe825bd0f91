"""TFDS sets: found, refused, told apart; on sets prepared here and on the shared copies."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds

import data
from conf.commandline import ROOT
from data.sources import catalogue, store
from tests.helpers import environment

SHARED = Path(
    os.environ.get("PADZOO_TFDS", Path(__file__).parents[3] / "../shared/tensorflow_datasets")
)
needs_shared = pytest.mark.skipif(
    not (SHARED / "fashion_mnist").is_dir(), reason="no prepared copies; set PADZOO_TFDS"
)


def features(**changes):
    made = {
        "image": tfds.features.Tensor(shape=(6, 5, 3), dtype=np.uint8),
        "label": tfds.features.ClassLabel(names=["cat", "dog"]),
    } | changes
    return tfds.features.FeaturesDict({k: v for k, v in made.items() if v is not None})


class PadzooProbe(tfds.core.GeneratorBasedBuilder):
    """A small set whose features and splits each test chooses."""

    VERSION = tfds.core.Version("1.2.0")
    RELEASE_NOTES = {"1.2.0": "For tests."}  # noqa: RUF012
    FEATURES = features()
    SPLITS: dict = {}  # noqa: RUF012

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self, description="", features=self.FEATURES, disable_shuffling=True
        )

    def _split_generators(self, dl_manager):
        return {name: self._generate_examples(rows) for name, rows in self.SPLITS.items()}

    def _generate_examples(self, rows):
        yield from enumerate(rows)


def rows(n, size=(6, 5, 3), seed=0):
    rng = np.random.default_rng(seed)
    pictures = rng.integers(0, 256, (n, *size)).astype(np.uint8)
    return [{"image": pictures[i], "label": i % 2} for i in range(n)]


@pytest.fixture
def probe(tmp_path, monkeypatch):
    """`probe(splits, features)` prepares the small set and returns its config."""

    def make(splits=None, feature_dict=None, **settings):
        monkeypatch.setattr(PadzooProbe, "FEATURES", feature_dict or features())
        splits = splits or {"train": rows(40), "test": rows(10, seed=1)}
        monkeypatch.setattr(PadzooProbe, "SPLITS", splits)
        PadzooProbe(data_dir=tmp_path, file_format="array_record").download_and_prepare()
        return data.DataConfig("padzoo_probe", "tfds", data_dir=str(tmp_path), **settings)

    return make


def test_pictures_come_back_in_their_stored_order(probe):
    d = data.load(probe(normalize="none", validation=0.0))
    stored = np.stack([r["image"] for r in rows(40)])
    np.testing.assert_array_equal(d.train.x, stored.astype(np.float32))
    np.testing.assert_array_equal(d.train.y, np.arange(40) % 2)
    assert d.spec.class_names == ("cat", "dog")
    assert (d.spec.test, d.spec.validation) == ("test", "none")


def test_an_official_validation_split_is_used(probe):
    splits = {"train": rows(40), "validation": rows(8, seed=2), "test": rows(10, seed=1)}
    d = data.load(probe(splits))
    assert (len(d.train), len(d.validation), d.spec.validation) == (40, 8, "official")


def test_without_a_test_split_the_official_validation_is_the_test(probe):
    d = data.load(probe({"train": rows(40), "validation": rows(8, seed=2)}))
    assert (len(d.train), len(d.validation), len(d.test)) == (36, 4, 8)
    assert (d.spec.test, d.spec.validation) == ("validation", "carved")


def test_pictures_of_many_sizes_take_a_resize(probe):
    varied = features(image=tfds.features.Image(shape=(None, None, 3)))
    mixed = rows(6, size=(6, 5, 3)) + rows(6, size=(9, 4, 3), seed=1)
    cfg = probe({"train": mixed, "test": mixed}, varied)
    with pytest.raises(data.DataError, match="differ in size; set data.resize"):
        data.load(cfg)
    d = data.load(data.DataConfig(**vars(cfg) | {"resize": 4}))
    assert d.spec.input_shape == (4, 4, 3)


@pytest.mark.parametrize(
    ("feature_dict", "splits", "says"),
    [
        (features(label=None), ["train", "test"], "not an image classification set.*has image$"),
        (features(label=tfds.features.Scalar(np.int64)), ["train", "test"], "not an image class"),
        (features(), ["train"], "has the splits train, but train and test are needed"),
    ],
)
def test_sets_that_do_not_serve(probe, feature_dict, splits, says):
    keep = set(feature_dict)
    made = [{k: v for k, v in r.items() if k in keep} for r in rows(6)]
    with pytest.raises(data.DataError, match=says):
        data.load(probe(dict.fromkeys(splits, made), feature_dict))


def test_an_unlabelled_test_split_is_refused(probe):
    hidden = [r | {"label": -1} for r in rows(6)]
    with pytest.raises(data.DataError, match="test split of padzoo_probe has no labels"):
        data.load(probe({"train": rows(6), "test": hidden}))


def test_fingerprint_names_the_copy(probe, tmp_path):
    cfg = probe()
    info = tmp_path / "padzoo_probe" / "1.2.0" / "dataset_info.json"
    digest = hashlib.sha256(info.read_bytes()).hexdigest()[:12]
    assert data.fingerprint(cfg) == f"padzoo_probe/1.2.0+{digest}"
    other = json.loads(info.read_text())
    other["splits"][0]["numBytes"] = "1"
    info.write_text(json.dumps(other))
    assert data.fingerprint(cfg).startswith("padzoo_probe/1.2.0+")
    assert data.fingerprint(cfg) != f"padzoo_probe/1.2.0+{digest}"


def test_the_newest_version_is_taken_unless_one_is_named(tmp_path):
    for version in ("1.9.0", "1.10.0", "incomplete.ABC_2.0.0"):
        (tmp_path / "mnist" / version).mkdir(parents=True)
        (tmp_path / "mnist" / version / store.INFO).write_text("{}")
    assert store.find(tmp_path, "mnist", None).name == "1.10.0"
    assert store.find(tmp_path, "mnist", "1.9.0").name == "1.9.0"
    assert store.find(tmp_path, "mnist", "1.0.0") is None


def test_damaged_files_end_in_one_line(probe, tmp_path):
    cfg = probe()
    for shard in (tmp_path / "padzoo_probe" / "1.2.0").glob("*.array_record*"):
        shard.write_bytes(shard.read_bytes()[:100])
    with pytest.raises(data.DataError, match="padzoo_probe in .* cannot be read") as caught:
        data.load(cfg)
    assert "\n" not in str(caught.value)


def test_an_unknown_name_gets_close_matches(tmp_path):
    with pytest.raises(data.DataError, match="did you mean .*fashion_mnist") as caught:
        data.load(data.DataConfig("fashon_mnist", "tfds", data_dir=str(tmp_path)))
    assert len(str(caught.value)) < 200


def test_a_missing_set_says_how_to_get_it(tmp_path, monkeypatch):
    def never(cfg):
        raise AssertionError("tried the network")

    monkeypatch.setattr(catalogue, "_download", never)
    cfg = data.DataConfig("kmnist", "tfds", data_dir=str(tmp_path))
    assert data.fingerprint(cfg) is None
    with pytest.raises(data.DataError) as caught:
        data.ensure(cfg)
    line = str(caught.value)
    assert "\n" not in line
    for part in (
        "python train.py data=tfds data.name=kmnist data.download=true",
        "data.data_dir",
        str(tmp_path / "downloads" / "manual"),
    ):
        assert part in line


def test_a_download_says_so_first_and_fails_in_one_line(tmp_path, monkeypatch, caplog):
    def offline(self, **kwargs):
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", offline)
    with pytest.raises(data.DataError, match="kmnist could not be downloaded: no route to host"):
        data.ensure(data.DataConfig("kmnist", "tfds", data_dir=str(tmp_path), download=True))
    assert "downloading kmnist" in caplog.text


@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [
        ("kmnist", (28, 28, 1), ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]),
        ("emnist/balanced", (28, 28, 1), [str(i) for i in range(47)]),
        ("emnist/letters", (28, 28, 1), [str(i) for i in range(37)]),
        ("svhn_cropped", (32, 32, 3), [str(i) for i in range(10)]),
    ],
)
def test_sets_of_the_catalogue_by_their_own_builders(name, shape, classes, tmp_path, monkeypatch):
    """Their features, names and folders; only the pictures are made here instead of fetched."""
    cls = tfds.builder_cls(name.split("/")[0])
    more = {"id": "a name"} if name == "svhn_cropped" else {}
    pictures = enumerate(rows(2 * len(classes), shape))
    made = [r | {"label": i % len(classes)} | more for i, r in pictures]
    # SVHN has half a million easier pictures more, which no split of ours takes.
    sizes = {"train": 2 * len(classes), "test": 6, "extra": 4}
    parts = {part: list(enumerate(made[:n])) for part, n in sizes.items()}
    monkeypatch.setattr(cls, "_split_generators", lambda self, manager: parts)
    cfg = data.DataConfig(name, "tfds", data_dir=str(tmp_path), download=True, validation=0.0)
    d = data.load(cfg)
    assert data.fingerprint(cfg).startswith(f"{name}/3.")
    assert (d.spec.kind, d.spec.input_shape) == ("image", shape)
    assert list(d.spec.class_names) == classes
    assert (len(d.train), len(d.test), d.spec.test) == (2 * len(classes), 6, "test")


def test_a_set_of_another_kind_is_refused_before_its_download(tmp_path, monkeypatch):
    def never(self, **kwargs):
        raise AssertionError("downloaded")

    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", never)
    with pytest.raises(data.DataError, match="not an image classification set"):
        data.ensure(
            data.DataConfig("ag_news_subset", "tfds", data_dir=str(tmp_path), download=True)
        )


def test_tfrecord_without_tensorflow_says_what_to_do(probe, tmp_path, monkeypatch):
    cfg = probe()
    info = tmp_path / "padzoo_probe" / "1.2.0" / "dataset_info.json"
    info.write_text(info.read_text().replace('"array_record"', '"tfrecord"'))
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    says = "only TensorFlow can read; install it .*python -m data.prepare data=tfds data.name="
    with pytest.raises(data.DataError, match=says):
        data.load(cfg)


@pytest.mark.full
@needs_shared
def test_the_shared_fashion_mnist(tmp_path):
    shutil.copytree(SHARED / "fashion_mnist", tmp_path / "fashion_mnist")
    cfg = data.DataConfig("fashion_mnist", "tfds", data_dir=str(tmp_path), examples=500)
    assert data.fingerprint(cfg).startswith("fashion_mnist/3.0.1+")
    d = data.load(cfg)
    assert (len(d.train), len(d.validation), len(d.test)) == (500, 6000, 10000)
    assert d.spec.input_shape == (28, 28, 1)
    np.testing.assert_array_equal(np.bincount(d.train.y), np.full(10, 50))
    np.testing.assert_array_equal(np.bincount(d.validation.y), np.full(10, 600))
    assert d.spec.class_names[9] == "Ankle boot"


@needs_shared
@pytest.mark.slow
@pytest.mark.parametrize(("name", "channels"), [("mnist", 1), ("cifar10", 3)])
def test_the_other_shared_sets(name, channels):
    d = data.load(data.DataConfig(name, "tfds", data_dir=str(SHARED)))
    assert d.spec.input_shape[2] == channels
    assert len(d.test) == 10000
    assert len(d.train) + len(d.validation) == {"mnist": 60000, "cifar10": 50000}[name]
    assert d.train.x.std() == pytest.approx(1, abs=1e-3)


@pytest.mark.slow
@needs_shared
def test_preparing_ahead_says_nothing_on_stderr(tmp_path):
    """TensorFlow, which reads the shared copy, talks while it is loaded."""
    command = [sys.executable, "-m", "data.prepare", "data=mnist", f"data.data_dir={SHARED}"]
    command += ["data.examples=50", f"npz={tmp_path / 'small.npz'}"]
    ended = subprocess.run(
        command, cwd=ROOT.parent, env=environment(), capture_output=True, text=True
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "holds         train 50, validation 6,000, test 10,000, uint8" in ended.stdout
