"""A user's own file: what is accepted, and one plain line for everything that is not."""

import hashlib

import numpy as np
import pytest

import data

RNG = np.random.default_rng(0)


def arrays(**changes):
    made = {
        "x_train": RNG.integers(0, 256, (30, 5, 4)).astype(np.uint8),
        "y_train": np.arange(30) % 3,
        "x_test": RNG.integers(0, 256, (6, 5, 4)).astype(np.uint8),
        "y_test": np.arange(6) % 3,
    } | changes
    return {name: array for name, array in made.items() if array is not None}


def save(tmp_path, **changes):
    path = tmp_path / "own.npz"
    np.savez(path, **arrays(**changes))
    return str(path)


def load(path, **changes):
    return data.load(data.DataConfig("own", "npz", path=path, **changes))


@pytest.mark.parametrize(
    ("shape", "asked", "kind", "input_shape"),
    [
        ((5, 4), None, "image", (5, 4, 1)),
        ((5, 4), "sequence", "sequence", (5, 4)),
        ((5, 4, 3), None, "image", (5, 4, 3)),
        ((7,), None, "sequence", (7, 1)),
        ((7,), "sequence", "sequence", (7, 1)),
    ],
)
def test_kind_follows_the_rank(tmp_path, shape, asked, kind, input_shape):
    x = RNG.random((36, *shape))
    d = load(save(tmp_path, x_train=x[:30], x_test=x[30:]), kind=asked, normalize="none")
    assert (d.spec.kind, d.spec.input_shape, d.spec.num_classes) == (kind, input_shape, 3)
    np.testing.assert_allclose(d.test.x.ravel(), x[30:].ravel(), rtol=1e-6)
    np.testing.assert_array_equal(d.test.y, np.arange(6) % 3)


def steps(**changes):
    """Sequences of 7 steps, the last three of which have a label each."""
    made = {
        "x_train": RNG.random((30, 7)),
        "y_train": np.arange(90).reshape(30, 3) % 4,
        "x_test": RNG.random((6, 7)),
        "y_test": np.array([[0, 1, 2], [-1, -1, 3]] * 3),
    }
    return made | changes


def test_sequences_may_have_a_label_a_step(tmp_path):
    known = {"source_ids_test": np.arange(18).reshape(6, 3), "subset_test": np.array(["a"] * 6)}
    d = load(save(tmp_path, **steps(), **known))
    assert (d.spec.kind, d.spec.scored_steps, d.spec.num_classes) == ("sequence", 3, 4)
    assert (d.train.y.shape, d.validation.y.shape) == ((27, 3), (3, 3))
    np.testing.assert_array_equal(d.test.y, steps()["y_test"])
    np.testing.assert_array_equal(d.test.source_ids, known["source_ids_test"])


@pytest.mark.parametrize(("changes", "says"), [
    ({"y_train": np.arange(30) % 4}, "differ in how many steps"),
    ({"y_train": np.arange(240).reshape(30, 8) % 4}, r"y_train of shape \(30, 8\) does not fit"),
    ({"y_train": np.zeros((30, 0))}, r"y_train of shape \(30, 0\) does not fit"),
    ({"source_ids_test": np.arange(6)}, r"source_ids_test of shape \(6,\) does not fit"),
    ({"y_train": np.arange(90).reshape(30, 3) % 5 - 1}, "y_train holds the label -1"),
    ({"y_test": np.full((6, 3), -1)}, "y_test holds the label -1"),
    ({"y_test": np.full((6, 3), -2)}, "y_test holds the label -2"),
])  # fmt: skip
def test_labels_of_steps_that_do_not_fit(tmp_path, changes, says):
    with pytest.raises(data.DataError, match=says):
        load(save(tmp_path, **steps(**changes)))


def test_class_names_and_float_labels(tmp_path):
    names = np.array(["cat", "dog", "eel"])
    path = save(tmp_path, class_names=names, y_train=(np.arange(30) % 3).astype(np.float32))
    assert load(path).spec.class_names == ("cat", "dog", "eel")


def test_a_validation_split_margins_and_sources_of_its_own(tmp_path):
    own = RNG.integers(0, 256, (9, 5, 4)).astype(np.uint8)
    more = {"x_validation": own, "y_validation": np.arange(9) % 3}
    known = {"margin_test": np.arange(6) / 2, "source_ids_test": np.arange(6) + 5}
    d = load(save(tmp_path, **more, **known), normalize="none")
    assert (len(d.train), len(d.validation), d.spec.validation) == (30, 9, "official")
    np.testing.assert_array_equal(d.validation.x[..., 0], own.astype(np.float32))
    np.testing.assert_array_equal(d.validation.y, np.arange(9) % 3)
    np.testing.assert_array_equal(d.test.margin, np.arange(6) / np.float32(2))
    np.testing.assert_array_equal(d.test.source_ids, np.arange(6) + 5)
    assert d.train.margin is None


def test_arrays_of_other_names_are_not_left_aside_without_a_word(tmp_path):
    val = {"x_val": RNG.random((6, 5, 4)), "y_val": np.arange(6) % 3}
    d = load(save(tmp_path, **val))
    says = "own: not read: x_val, y_val; the splits are called train, validation, test"
    assert (d.notes, d.spec.validation) == ((says,), "carved")
    many = {f"other{i}": np.zeros(1) for i in range(9)}
    assert (
        "other0, other1, other2, other3, other4 and 4 more;"
        in load(save(tmp_path, **many)).notes[0]
    )
    assert load(save(tmp_path)).notes == ()


def test_rows_stored_by_column(tmp_path):
    x = np.asfortranarray(RNG.random((30, 5, 4)))
    d = load(save(tmp_path, x_train=x), normalize="none", validation=0)
    np.testing.assert_array_equal(d.train.x[..., 0], x.astype(np.float32))


def test_fingerprint_is_that_of_the_bytes(tmp_path):
    path = save(tmp_path)
    with open(path, "rb") as file:
        expected = hashlib.sha256(file.read()).hexdigest()[:12]
    cfg = data.DataConfig("own", "npz", path=path)
    assert data.fingerprint(cfg) == f"own+{expected}"
    assert load(path).spec.fingerprint == f"own+{expected}"
    assert data.fingerprint(data.DataConfig("own", "npz", path=path + "x")) is None


def floats(shape, bad=None):
    x = RNG.random(shape)
    if bad is not None:
        x[1, 2, 3] = bad
    return x


REFUSED = {
    "missing array": ({"y_test": None}, "lacks y_test"),
    "objects": ({"y_train": np.array([1, "a"] * 15, dtype=object)}, "never unpickled"),
    "strings": ({"y_train": np.array(["a"] * 30)}, "real numbers"),
    "complex": ({"x_train": floats((30, 5, 4)) + 1j}, "real numbers"),
    "length": ({"y_train": np.arange(29) % 3}, r"y_train of shape \(29,\) does not fit"),
    "one-hot": ({"y_train": np.eye(3)[np.arange(30) % 3]}, r"y_train of shape \(30, 3\)"),
    "shapes": ({"x_test": np.zeros((6, 5, 5))}, "differ in shape"),
    "rank 1": ({"x_train": np.zeros(30), "x_test": np.zeros(6)}, r"shape \(30,\)"),
    "rank 5": ({"x_train": np.zeros((30, 1, 1, 1, 1)), "x_test": np.zeros((6, 1, 1, 1, 1))}, "ima"),
    "not whole": ({"y_train": np.arange(30) % 3 + 0.5}, "not whole numbers"),
    "NaN label": ({"y_train": np.where(np.arange(30) == 3, np.nan, 1.0)}, "not whole numbers"),
    "negative": ({"y_train": np.arange(30) % 3 - 1}, "label -1"),
    "negative in test": ({"y_test": np.arange(6) % 3 - 1}, "y_test holds the label -1"),
    "more classes than examples": ({"y_train": np.arange(30) * 10**6}, "only 30 examples"),
    "only in test": ({"y_test": np.full(6, 3)}, "y_test holds the label 3; the classes are 0 to 2"),
    "gap": ({"y_train": np.where(np.arange(30) % 3 == 1, 0, 2)}, "class 1 has no example"),
    "gap filled in test": ({"y_train": np.where(np.arange(30) % 2, 0, 2)}, "class 1 has no exampl"),
    "more than named": ({"class_names": np.array(["a", "b"])}, "label 2; the classes are 0 to 1"),
    "subsets, not strings": ({"subset_test": np.arange(6)}, "subset_test must be a one-dim"),
    "names, not strings": ({"class_names": np.arange(3)}, "array of strings"),
    "one class": ({"y_train": np.zeros(30), "y_test": np.zeros(6)}, "at least two"),
    "NaN": ({"x_train": floats((30, 5, 4), np.nan)}, "x_train holds NaN or infinity"),
    "infinity": ({"x_test": floats((6, 5, 4), np.inf)}, "x_test holds NaN or infinity"),
    "validation without labels": ({"x_validation": np.zeros((3, 5, 4))}, "lacks y_validation"),
    "validation without inputs": ({"y_validation": np.zeros(3)}, "lacks x_validation"),
    "other validation": (
        {"x_validation": np.zeros((3, 5, 5)), "y_validation": np.zeros(3)},
        r"x_validation \(3, 5, 5\) differ in shape",
    ),
    "margins": ({"margin_test": np.zeros(5)}, r"margin_test of shape \(5,\) does not fit x_test"),
    "empty": ({"x_test": np.zeros((0, 5, 4)), "y_test": np.zeros(0)}, "is empty"),
    "no pixels": ({"x_train": np.zeros((30, 0, 4)), "x_test": np.zeros((6, 0, 4))}, "is empty"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(tmp_path, case):
    changes, says = REFUSED[case]
    with pytest.raises(data.DataError, match=says) as caught:
        load(save(tmp_path, **changes))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("asked", ["sequence", "image"])
def test_kind_that_does_not_fit(tmp_path, asked):
    shape = {"sequence": (36, 5, 4, 1), "image": (36, 5)}[asked]
    x = RNG.random(shape)
    with pytest.raises(data.DataError, match=f"data.kind={asked} does not fit"):
        load(save(tmp_path, x_train=x[:30], x_test=x[30:]), kind=asked)


def test_no_file(tmp_path):
    with pytest.raises(data.DataError, match="is not a file"):
        load(str(tmp_path / "none.npz"))


def test_files_that_are_no_npz(tmp_path):
    good = save(tmp_path)
    with open(good, "rb") as file:
        content = file.read()
    cases = {"text": b"hello", "empty": b"", "cut": content[: len(content) // 2]}
    # One byte of the stored numbers changed: the archive's checksum tells.
    cases["flipped"] = content[:300] + bytes([content[300] ^ 255]) + content[301:]
    for name, broken in cases.items():
        path = tmp_path / f"{name}.npz"
        path.write_bytes(broken)
        with pytest.raises(data.DataError, match="npz file|damaged"):
            load(str(path))
    np.save(tmp_path / "single.npy", np.zeros(3))
    with pytest.raises(data.DataError, match="not an npz file"):
        load(str(tmp_path / "single.npy"))


def test_nothing_is_imported_for_a_file(tmp_path):
    import subprocess
    import sys

    code = f"""
import sys, data
data.load(data.DataConfig("own", "npz", path={save(tmp_path)!r}))
assert not {{"tensorflow", "keras", "tensorflow_datasets", "sklearn"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
