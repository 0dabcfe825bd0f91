"""The sets the project makes: the same on every call, cut and told apart as promised."""

import json
import random
import subprocess
import sys
import threading

import numpy as np
import pytest
from omegaconf import OmegaConf
from sklearn.datasets import load_digits

import data
from conf.commandline import ROOT
from data.builders import scenes, versions
from data.builders.digest import content_digest
from data.loading import in_memory
from data.sources import built, store
from data.tasks import without_labels
from tests.helpers import full


def config(folder, name="placed_digits", **changes):
    return data.DataConfig(name, "built", data_dir=str(folder), **changes)


def read(cfg):
    """The splits as generated."""
    return in_memory(cfg, built.read(cfg))


@pytest.fixture
def tiny_mnist1d(monkeypatch):
    """mnist1d makes two series a split; returns a list that grows by one with every making."""
    from data.builders import mnist1d

    made = []

    def make_splits():
        made.append(1)
        columns = {"sequence": np.ones((2, 40, 1), np.float32), "label": np.array([0, 1])}
        return {"train": columns, "test": columns}

    monkeypatch.setattr(mnist1d, "make_splits", make_splits)
    return made


QUICKLY_MADE = ("co2", "placed_digits")


@pytest.mark.parametrize(
    "name", [name if name in QUICKLY_MADE else full(name) for name in sorted(versions())]
)
def test_built_twice_is_identical(name, tmp_path, monkeypatch):
    for split in scenes.SPLITS:
        monkeypatch.setitem(scenes.SPLITS, split, 200)
    made_for = OmegaConf.load(ROOT / "data" / f"{name}.yaml").get("made_for")
    task = without_labels(made_for)
    first, second = (config(tmp_path / folder, name, task=task) for folder in "ab")
    data.ensure(first)
    data.ensure(second)
    assert data.fingerprint(first) == data.fingerprint(second)
    for one, two in zip(read(first).values(), read(second).values(), strict=True):
        np.testing.assert_array_equal(one.x, two.x)
        np.testing.assert_array_equal(one.y, two.y)


@pytest.mark.full
def test_each_version_is_this_content(prepared, tmp_path):
    """Prepared copies are found by their version: other content needs another version."""
    assert data.fingerprint(config(prepared)) == "placed_digits/1.1.0+0e4c474cb7aa"
    sequences = config(tmp_path, "mnist1d")
    data.ensure(sequences)
    assert data.fingerprint(sequences) == "mnist1d/1.0.0+a57cabd85cde"


def test_what_is_read_is_what_the_fingerprint_was_made_of(prepared):
    raw = read(config(prepared))
    columns = {
        name: {"image": s.x, "label": s.y, "margin": s.margin, "source_id": s.source_ids}
        for name, s in raw.items()
    }
    digest = content_digest({name: columns[name] for name in scenes.SPLITS})
    assert data.fingerprint(config(prepared)) == f"placed_digits/1.1.0+{digest[:12]}"


def test_fingerprint_is_none_before_and_follows_the_content(tmp_path, tiny_mnist1d):
    cfg = config(tmp_path, "mnist1d")
    assert data.fingerprint(cfg) is None
    data.ensure(cfg)
    before = data.fingerprint(cfg)
    assert before.startswith("mnist1d/1.0.0+")
    metadata = tmp_path / "mnist1d" / "1.0.0" / "metadata.json"
    metadata.write_text(json.dumps({"content": "0" * 64}))
    assert data.fingerprint(cfg) == "mnist1d/1.0.0+000000000000"


def test_a_copy_of_another_version_is_not_taken_for_todays(tmp_path):
    other = tmp_path / "mnist1d" / "9.0.0"
    other.mkdir(parents=True)
    (other / store.INFO).write_text("{}")
    assert data.fingerprint(config(tmp_path, "mnist1d")) is None


def test_content_digest_sees_every_column():
    def digest(**changes):
        columns = {"x": np.arange(6, dtype=np.uint8).reshape(2, 3), "label": np.array([0, 1])}
        return content_digest({"train": columns | changes})

    assert digest() == digest()
    different = [digest(), digest(label=np.array([1, 0])), digest(extra=np.zeros(2))]
    different.append(digest(x=np.arange(6, dtype=np.uint8).reshape(3, 2)))
    different.append(digest(x=np.arange(6, dtype=np.int8).reshape(2, 3)))
    assert len(set(different)) == 5


def test_two_threads_prepare_once(tmp_path, tiny_mnist1d):
    barrier, failures = threading.Barrier(2), []

    def ask():
        barrier.wait()
        try:
            data.ensure(config(tmp_path, "mnist1d"))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert tiny_mnist1d == [1]


def test_placed_digits_holds_what_it_promises(digits):
    assert digits.spec.kind == "image"
    assert digits.spec.input_shape == (32, 32, 1)
    assert digits.spec.num_classes == 10
    assert digits.spec.validation == "official"
    sizes = {name: len(getattr(digits, name)) for name in scenes.SPLITS}
    assert sizes == scenes.SPLITS
    for split in (digits.train, digits.validation, digits.test):
        assert 0.4 < (split.margin < 0).mean() < 0.65
        assert split.margin.max() > 6
        assert np.bincount(split.y, minlength=10).min() > 0.07 * len(split)
        # A label is that of the drawing it was made from.
        np.testing.assert_array_equal(split.y, load_digits().target[split.source_ids])


def test_no_source_drawing_in_two_splits(digits):
    used = [set(s.source_ids.tolist()) for s in (digits.train, digits.validation, digits.test)]
    assert sum(map(len, used)) == len(set.union(*used)) == 1797


def test_stored_margin_follows_from_the_picture_without_its_surroundings(monkeypatch):
    # Blank out all but the digit, then measure on the picture where the ink ends.
    blank = lambda rng, n: np.zeros((n, scenes.SIDE, scenes.SIDE))  # noqa: E731
    monkeypatch.setattr(scenes, "backgrounds", blank)
    monkeypatch.setattr(scenes, "NOISE", 0.0)
    monkeypatch.setattr(scenes, "STROKES", 0)
    monkeypatch.setattr(scenes, "FRAGMENTS", 0)
    monkeypatch.setitem(scenes.SPLITS, "test", 600)
    digits = load_digits()
    made = scenes.make_split("test", digits.images / 16, digits.target)
    ink = made["image"][..., 0] > 0.15 * made["image"].max(axis=(1, 2, 3))[:, None, None]
    rows, columns = ink.any(axis=2), ink.any(axis=1)
    nearest = np.minimum.reduce(
        [v for line in (rows, columns) for v in (line.argmax(1), line[:, ::-1].argmax(1))]
    )
    inside = made["margin"] > 1
    # One drawn pixel: interpolation blurs by half of one, and ink may be faint at the edge.
    assert np.abs(nearest - made["margin"])[inside].max() < scenes.ENLARGE[1]
    assert (nearest[made["margin"] < 0] == 0).all()


def test_mnist1d_is_what_the_package_makes(prepared):
    from mnist1d.data import make_dataset

    published = make_dataset()
    raw = read(config(prepared, "mnist1d"))
    for name, suffix in {"train": "", "test": "_test"}.items():
        np.testing.assert_array_equal(
            raw[name].x[..., 0], published[f"x{suffix}"].astype(np.float32)
        )
        np.testing.assert_array_equal(raw[name].y, published[f"y{suffix}"])


def test_mnist1d_has_the_published_form(prepared):
    # 4,000 and 1,000 series of 40 steps, 500 a class, centred and scaled as a whole.
    raw = read(config(prepared, "mnist1d"))
    x = np.concatenate([raw["train"].x, raw["test"].x])
    y = np.concatenate([raw["train"].y, raw["test"].y])
    assert built.read(config(prepared, "mnist1d")).kind == "sequence"
    assert raw["train"].x.shape == (4000, 40, 1)
    assert x.shape == (5000, 40, 1)
    np.testing.assert_array_equal(np.bincount(y), np.full(10, 500))
    assert x.mean(dtype=np.float64) == pytest.approx(0, abs=1e-6)
    assert x.std(dtype=np.float64) == pytest.approx(1, abs=1e-6)


def test_making_mnist1d_leaves_the_global_random_state_alone():
    from data.builders.mnist1d import make_splits

    random.seed(3)
    np.random.seed(3)
    expected = random.random(), np.random.random()
    random.seed(3)
    np.random.seed(3)
    make_splits()
    assert (random.random(), np.random.random()) == expected


def test_built_sets_are_read_without_tensorflow(prepared):
    code = f"""
import sys, data
names = ("placed_digits", "mnist1d", "co2")
cfgs = [data.DataConfig(n, "built", data_dir={str(prepared)!r}) for n in names]
assert all(map(data.fingerprint, cfgs))
assert not {{"tensorflow", "keras", "tensorflow_datasets", "sklearn"}} & set(sys.modules)
for cfg in cfgs:
    data.load(cfg)
assert not {{"tensorflow", "keras"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": "placed_digit"}, "did you mean placed_digits"),
        ({"version": "7.0.0"}, "can be generated only as 1.0.0"),
        ({"data_dir": "/proc/nowhere"}, "data.data_dir"),
    ],
)
def test_refusals(changes, says, tmp_path):
    values = {"name": "mnist1d", "source": "built", "data_dir": str(tmp_path)} | changes
    with pytest.raises(data.DataError, match=says):
        data.load(data.DataConfig(**values))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.delattr("Builder"), "data/builders/mnist1d.py has no class Builder"),
        (
            lambda m: m.setattr("Builder.name", "other"),
            "Builder.name must be that of the file",
        ),
        (lambda m: m.setattr("make_splits", long_mistake), r"mnist1d.py: ValueError: … .*wrong$"),
    ],
)
def test_what_a_builder_does_wrong_is_one_short_line(tmp_path, monkeypatch, change, message):
    import data.builders.mnist1d

    class Module:
        @staticmethod
        def delattr(name):
            monkeypatch.delattr(f"data.builders.mnist1d.{name}")

        @staticmethod
        def setattr(name, value):
            monkeypatch.setattr(f"data.builders.mnist1d.{name}", value)

    change(Module)
    with pytest.raises(data.DataError, match=message) as caught:
        data.ensure(config(tmp_path, "mnist1d"))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def long_mistake():
    raise ValueError("an example\n" * 1000 + "and what is wrong")
