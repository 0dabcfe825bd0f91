import keras
import pytest

from models.bind import bind
from models.geometry.tracing.trace import trace
from models.sizing import input_widths


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
