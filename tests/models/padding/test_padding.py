import json
import subprocess
import sys

import numpy as np
import pytest

from models.padding import AMOUNTS, MODES, NAMED, Padding, PaddingError
from models.padding.amounts import pad_amounts, same_total
from models.padding.axes import terms
from models.padding.supports import supports
from tests.models.layers import oracle


def test_imports_no_framework():
    code = (
        "import sys, models, models.padding, models.geometry.arithmetic as a;"
        "assert not {'keras', 'tensorflow', 'jax', 'numpy'} & set(sys.modules), 'slow to import'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("amount", [*oracle.AMOUNTS, 0, 1, 3, (2, 5)])
def test_amounts_by_brute_force(amount):
    for size in range(1, 13):
        for k in range(1, 6):
            for s in range(1, 4):
                for d in (1, 2, 3):
                    expected = oracle.amounts(amount, size, k, s, d)
                    assert pad_amounts(amount, size, k, s, d) == expected, (size, k, s, d)


@pytest.mark.parametrize(
    ("size", "k", "expected"),
    [
        (224, 7, (2, 3)),
        (225, 7, (3, 3)),
        (224, 3, (0, 1)),
        (32, 3, (0, 1)),
        (28, 3, (0, 1)),
        (33, 3, (1, 1)),
        (29, 3, (1, 1)),
        (4, 3, (0, 1)),
        (5, 3, (1, 1)),
    ],
)
def test_tensorflow_same_at_stride_2(size, k, expected):
    assert pad_amounts("same", size, k, 2, 1) == expected
    assert pad_amounts("same_lower", size, k, 2, 1) == expected[::-1]


def test_unknown_size_matters_only_for_strided_same():
    for amount in [*AMOUNTS, 2, (0, 1)]:
        assert pad_amounts(amount, None, 3, 1, 2) == pad_amounts(amount, 9, 3, 1, 2)
        assert pad_amounts(amount, None, 1, 2, 1) == (0, 0)
    with pytest.raises(PaddingError, match="need a known size where strides > 1"):
        pad_amounts("same", None, 3, 2, 1)
    assert pad_amounts("half", None, 3, 2, 1) == (1, 1)
    assert same_total(None, 4, 1) == 4


def shown(size, before, after, mode):
    """The pixels that a border copies."""
    ((index, weight),) = terms(size, before, after, mode)
    assert weight is None
    return index


@pytest.mark.parametrize("mode", oracle.NUMPY_MODE)
@pytest.mark.parametrize("size", range(1, 7))
def test_border_is_numpys_at_any_width(mode, size):
    for before in range(4 * size + 3):
        for after in (0, 1, size - 1, size, 2 * size + 1, 5 * size):
            ours = shown(size, before, after, mode)
            assert ours.tolist() == oracle.sources(size, before, after, mode).tolist()


def test_one_pixel_reflects_as_replicate():
    assert shown(1, 2, 3, "reflect").tolist() == [0] * 6


def test_constant_borders_are_marked():
    assert shown(3, 2, 1, "zeros").tolist() == [-1, -1, 0, 1, 2, -1]
    assert shown(2, 0, 2, "constant").tolist() == [0, 1, -1, -1]


def test_empty_map_has_no_border():
    with pytest.raises(PaddingError, match="An empty map"):
        terms(0, 1, 1, "circular")


@pytest.mark.parametrize(
    "padding",
    [
        *NAMED.values(),
        Padding(3),
        Padding([1, 2]),
        Padding([[1, 2], [0, 1]], "reflect"),
        Padding(["causal", "same"], ["replicate", "constant"], -0.5),
        Padding([[1, 2]]),
        Padding("same", "constant", [0.5, -1.0]),
    ],
)
def test_dict_round_trip_through_json(padding):
    read = Padding.from_dict(json.loads(json.dumps(padding.to_dict())))
    assert (read, hash(read)) == (padding, hash(padding))
    assert Padding.of(padding.to_dict()) == padding == Padding.of(padding)


def test_a_flat_sequence_is_per_axis():
    assert Padding([1, 2]).widths((9, 9), (3, 3), (1, 1), (1, 1)) == ((1, 1), (2, 2))
    assert Padding([[1, 2]]).widths((9,), (3,), (1,), (1,)) == ((1, 2),)
    mixed = Padding(["causal", [1, 0]])
    assert mixed.widths((9, 9), (3, 3), (1, 1), (2, 1)) == ((4, 0), (1, 0))
    assert Padding(2).widths((9, 9), (1, 3), (1, 1), (1, 1)) == ((0, 0), (2, 2))
    with pytest.raises(PaddingError, match="one entry per axis: 1 here, not 2"):
        Padding([1, 2]).amounts(1)
    with pytest.raises(PaddingError, match="one entry per axis: 2 here, not 1"):
        Padding("same", ["zeros"]).modes(2)


def test_names():
    others = {"explicit", "input", "causal_rows", "causal_columns", "latitude_longitude"}
    assert set(NAMED) == {*AMOUNTS, *MODES, *others} - {"zeros"}
    assert NAMED["latitude_longitude"] == Padding("same", ("replicate", "circular"))
    assert NAMED["causal_rows"] == Padding(("causal", "same"))
    assert NAMED["causal_columns"] == Padding(("same", "causal"))
    assert NAMED["explicit"] == Padding(1, "zeros")
    assert NAMED["reflect"] == Padding("same", "reflect")
    assert NAMED["full"] == Padding("full", "zeros")
    assert Padding.of("same") == Padding()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Padding("smae"), "did you mean same"),
        (lambda: Padding("same", "reflct"), "did you mean reflect"),
        (lambda: Padding(-1), "non-negative int.*Received: amount=-1"),
        (lambda: Padding(True), "Received: amount=True"),
        (lambda: Padding([]), "at least one axis"),
        (lambda: Padding([[1, 2, 3]]), r"Received: amount=\[1, 2, 3\]"),
        (lambda: Padding(1.5), "Received: amount=1.5"),
        (lambda: Padding("same", "constant", float("nan")), "finite"),
        (lambda: Padding("same", "constant", [1.0, "a"]), "one per channel"),
        (lambda: Padding("same", "constant", []), "one per channel"),
        (lambda: Padding(["input", "same"]), "stands alone, not in a list"),
        (lambda: Padding("same", ["mean", "mea"]), "did you mean mean"),
        (lambda: Padding("same", "zeros", 1.0), "belongs to mode 'constant'"),
        (lambda: Padding("same", []), "unknown mode"),
        (lambda: Padding.of("circulr"), "did you mean circular"),
        (lambda: Padding.of({"amout": 1}), "did you mean amount"),
        (lambda: Padding.of(3), "a Padding, a name or a dict"),
        (lambda: pad_amounts("samee", 3, 3, 1, 1), "unknown amount"),
        (lambda: terms(3, 1, 1, "edge"), "unknown mode"),
        (lambda: supports("same", "zeros", "Conv2d"), "did you mean Conv2D"),
    ],
)
def test_mistakes_are_one_plain_line(make, message):
    with pytest.raises(PaddingError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_replace_drops_a_value_nobody_uses():
    assert Padding("same", "constant", 2.0).replace({"mode": "zeros"}) == Padding()
    assert Padding("same", "constant", 2.0).replace({"amount": 1}) == Padding(1, "constant", 2.0)
    with pytest.raises(PaddingError, match="unknown field"):
        Padding().replace({"width": 1})


def test_padding_is_frozen():
    with pytest.raises(AttributeError):
        Padding().amount = "valid"
    assert np.array_equal(shown(2, 0, 0, "reflect"), [0, 1])
