"""The arithmetic at other sizes is that of networks built for them."""

import keras
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.geometry.findings.lint import lint
from models.geometry.findings.sizes import nearest, smallest
from models.geometry.reach.usage import usage
from models.geometry.tracing.line import line
from models.geometry.tracing.trace import final_map_size, follow, trace
from models.layers import Conv1D, MaxPooling1D
from models.padding import Padding

AMOUNTS = ("valid", "same", "same_lower", "half", "full", "even_split", 2, [[3, 0]])


@st.composite
def stacks(draw):
    """What a stack of windows is made of: amount, kernel, stride, dilation, and zeros before."""
    layers = []
    for _ in range(draw(st.integers(1, 4))):
        stride = draw(st.integers(1, 3))
        layers.append(
            (
                draw(st.sampled_from(AMOUNTS)),
                draw(st.integers(1, 5)),
                stride,
                draw(st.integers(1, 2)) if stride == 1 else 1,
                draw(st.sampled_from([None, None, (1, 1), (0, 2)])),
            )
        )
    return layers


def build(stack, size):
    inputs = x = keras.Input((size, 2))
    for i, (amount, kernel, stride, dilation, zeros) in enumerate(stack):
        if zeros:
            x = keras.layers.ZeroPadding1D(zeros, name=f"zeros{i}")(x)
        x = Conv1D(2, kernel, stride, Padding(amount), dilation_rate=dilation, name=f"conv{i}")(x)
    return keras.Model(inputs, x)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(stacks(), st.integers(24, 40), st.integers(24, 40))
def test_a_line_is_the_network_built_for_that_size(stack, size, other):
    try:
        known, wanted = follow(build(stack, size)), build(stack, other)
    except ValueError:  # it collapses at one of the sizes
        return
    found = line(known, 0, other)
    rows, used = trace(wanted), {one.name: one for one in usage(wanted)}
    assert found.last == final_map_size(rows)[0]
    slides = {slide.name: slide for slide in found.slides}
    for i, row in enumerate(rows):
        if row.name not in slides:
            continue
        slide, frame = slides[row.name], (0, 0)
        if row.inputs[0].startswith("zeros"):
            frame = rows[i - 1].pad[0]
        assert (slide.before - frame[0], slide.after - frame[1]) == row.pad[0]
        assert slide.written == (frame[0] != frame[1])
        assert slide.stride_before * slide.stride == row.effective_stride[0]
        assert (slide.span - 1) * slide.stride_before == (
            row.receptive_field[0] - rows[i - 1].receptive_field[0]
        )
        # What the stride does not reach is unread, of the map or of its padding.
        unread = used[row.name].unread[0][1] + used[row.name].unread_pad[0][1]
        framed = used[row.inputs[0]].unread_pad
        if slide.stride <= slide.span and not row.type.startswith("Pool"):
            assert slide.rest == unread + (framed[0][1] if framed and any(frame) else 0)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(stacks(), st.integers(30, 60))
def test_the_sizes_that_are_named_are_even(stack, size):
    """Built for them, a network pads both sides alike and leaves nothing unread."""
    try:
        known = follow(build(stack, size))
    except ValueError:
        return
    period = trace(build(stack, size))[-1].effective_stride[0]
    for named in nearest(known, 0, size, lambda found: found.even, period):
        if named is None:
            continue
        codes = {finding.code for finding in lint(build(stack, named))}
        assert not codes & {"one_sided_padding", "unread_padding", "unread_input"}, (stack, named)


def test_nearest_is_nearest():
    inputs = x = keras.Input((224, 1))
    for i in range(5):
        x = Conv1D(1, 3, 2, Padding("same"), name=f"conv{i}")(x)
    known = follow(keras.Model(inputs, x))
    # 2^d a + 1, d strides: Alsallakh et al. 2021.
    assert nearest(known, 0, 224, lambda found: found.even, 32) == (193, 225)
    assert nearest(known, 0, 225, lambda found: found.even, 32) == (193, 257)
    assert nearest(known, 0, 20, lambda found: found.even, 32) == (1, 33)
    assert nearest(known, 0, 224, lambda found: found.last > 1000, 32) == (None, None)


@pytest.mark.parametrize("above", [1, 5, 31])
def test_smallest_is_smallest(above):
    inputs = keras.Input((64, 1))
    x = MaxPooling1D(2, name="a")(MaxPooling1D(2, name="b")(inputs))
    known = follow(keras.Model(inputs, x))
    assert smallest(known, 0, above, lambda found: found.last >= 10) == 40
    assert smallest(known, 0, above, lambda found: found.last > 10_000) is None


def test_branches_that_do_not_fit_take_no_other_size():
    inputs = keras.Input((8, 1))
    x = keras.layers.Conv1D(1, 3, 2)(inputs)
    y = keras.layers.Cropping1D((0, 1))(keras.layers.Conv1D(1, 2, 2)(inputs))
    known = follow(keras.Model(inputs, keras.layers.Add()([x, y])))
    assert line(known, 0, 8).last == 3
    assert line(known, 0, 7) is None
    assert line(known, 0, 2) is None
