import keras
import pytest

from models.align import align
from models.bind import bind
from models.geometry.input_border import input_widths
from models.geometry.tracing.trace import trace
from models.padding import PaddingError


def network(steps):
    """Return make(amount, sizes) of a line of convolutions (kernel, strides) and pools."""

    def make(amount, sizes):
        nn = bind(amount)
        x = inputs = keras.Input((*sizes, 1))
        for i, (kind, k, s) in enumerate(steps):
            if kind == "pool":
                x = nn.MaxPooling1D(k, s, padding="same", name=f"pool{i}")(x)
            else:
                x = nn.Conv1D(1, k, s, name=f"conv{i}")(x)
        return keras.Model(inputs, x)

    return make


def conv(k, s=1):
    return "conv", k, s


@pytest.mark.parametrize(("steps", "size", "expected"), [
    ([conv(3)], 9, ((1, 1),)),
    ([conv(3), conv(3), conv(5)], 9, ((4, 4),)),
    ([conv(2)], 9, ((0, 1),)),  # SAME_UPPER
    ([conv(3, 2)], 8, ((0, 1),)),
    ([conv(3, 2)], 9, ((1, 1),)),
    ([conv(1)], 9, ((0, 0),)),
    # U-Net's encoder block: what a convolution behind a pool eats counts twice.
    ([conv(3), ("pool", 2, 2), conv(3)], 16, ((3, 3),)),
])  # fmt: skip
def test_widths_by_hand(steps, size, expected):
    assert input_widths(network(steps), (size,)) == expected


@pytest.mark.parametrize("steps", [
    [conv(3), ("pool", 3, 2), conv(5), conv(3, 2)],
    [conv(7, 2), ("pool", 3, 2), conv(3), ("pool", 2, 2), conv(4)],
    [conv(2, 2), conv(2, 2), conv(2, 2)],
    [conv(3), ("pool", 5, 2), conv(3), ("pool", 5, 2), conv(3), ("pool", 5, 2), conv(3)],
    [conv(3, 3), conv(3, 3)],
], ids=str)  # fmt: skip
def test_size_and_place_are_those_of_same(steps):
    make = network(steps)
    padded_pools = any(kind == "pool" and k > s for kind, k, s in steps)
    for size in range(9, 27):
        ((before, after),) = input_widths(make, (size,))
        wide = size + before + after
        same, valid = trace(make("same", (size,)))[-1], trace(make("valid", (wide,)))[-1]
        assert valid.output_size == same.output_size, size
        assert valid.effective_padding[0] + before == same.effective_padding[0], size
        if after and not padded_pools:  # no pixel more than the last field needs
            fewer = trace(make("valid", (wide - 1,)))[-1]
            assert fewer.output_size < same.output_size, size


def there_and_back(up):
    """Return make(amount, sizes): down by a pool, up again, and a convolution on each level."""

    def make(amount, sizes):
        x = inputs = keras.Input((*sizes, 1))
        x = keras.layers.Conv1D(1, 3, padding=amount)(x)
        x = keras.layers.MaxPooling1D(2)(x)
        x = keras.layers.Conv1D(1, 3, padding=amount)(x)
        x = up()(x)
        return keras.Model(inputs, keras.layers.Conv1D(1, 3, padding=amount)(x))

    return make


@pytest.mark.parametrize(
    "up",
    [
        lambda: keras.layers.UpSampling1D(2),
        lambda: keras.layers.Conv1DTranspose(1, 2, 2),
        lambda: keras.layers.Conv1DTranspose(1, 4, 2, padding="same"),
    ],
)
@pytest.mark.parametrize("size", [8, 14, 20])
def test_a_map_that_comes_back_has_its_size_and_its_place(up, size):
    """Each convolution takes a pixel of its own: 1, 2 and 1 of the picture."""
    make = there_and_back(up)
    assert input_widths(make, (size,)) == ((4, 4),)
    same, valid = trace(make("same", (size,)))[-1], trace(make("valid", (size + 8,)))[-1]
    assert valid.output_size == same.output_size == (size,)
    assert valid.centre[0] - 4 == same.centre[0]


def test_a_size_that_does_not_come_back_is_said():
    """Two levels of a U-Net give 4 b - 6 pixels without padding, and under `same` 4 b."""

    def make(amount, sizes):
        x = inputs = keras.Input((*sizes, 1))
        skips = []
        for _ in range(2):
            x = keras.layers.Conv1D(1, 3, padding=amount)(x)
            skips.append(x)
            x = keras.layers.MaxPooling1D(2)(x)
        x = keras.layers.Conv1D(1, 3, padding=amount)(x)
        for i, skip in enumerate(reversed(skips)):
            x = align([keras.layers.UpSampling1D(2)(x), skip], name=f"meet{i}")
            x = keras.layers.Conv1D(1, 3, padding=amount)(keras.layers.Concatenate()(x))
        return keras.Model(inputs, x)

    assert trace(make("same", (16,)))[-1].output_size == (16,)
    with pytest.raises(PaddingError, match=r"no border that gives the last map .*: \[16\]"):
        input_widths(make, (16,))
