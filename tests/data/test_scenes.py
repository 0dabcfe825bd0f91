"""The pictures of placed_digits, checked against placements whose answer is known."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from data.builders import scenes
from data.builders.scenes import SIDE, Placement


def block_drawing():
    """Ink in rows 1 to 6 and columns 2 to 4: 6 high, 3 wide."""
    drawing = np.zeros((1, 8, 8))
    drawing[0, 1:7, 2:5] = 1.0
    return drawing


def placed(top, left, scale):
    return Placement(*(np.array([float(v)]) for v in (top, left, scale)))


def test_ink_box_is_the_smallest_that_holds_the_ink():
    np.testing.assert_array_equal(scenes.ink_box(block_drawing()), [[1, 7, 2, 5]])
    corner = np.zeros((1, 8, 8))
    corner[0, 0, 6] = corner[0, 4, 3] = 1.0
    np.testing.assert_array_equal(scenes.ink_box(corner), [[0, 5, 3, 7]])


@pytest.mark.parametrize(
    ("top", "left", "scale", "expected"),
    [
        (8, 9, 2, 10),  # rows 10–22, columns 13–19: the top and the bottom are nearest
        (-2, 9, 2, 0),  # rows 0–12: it touches
        (-5, 9, 2, -3),  # cut above
        (20, 9, 2, -2),  # rows 22–34: cut below
        (8, -9, 2, -5),  # columns -5–1
        (8, 24, 2, -2),  # columns 28–34
    ],
)
def test_margin_of_a_known_placement(top, left, scale, expected):
    edges = scenes.box_on_canvas(np.array([[1, 7, 2, 5]]), placed(top, left, scale))
    assert scenes.margins(edges) == pytest.approx([expected])


def test_rendered_ink_lies_where_its_box_says():
    place = placed(8, 9, 2)
    picture = scenes.render(block_drawing(), place)[0]
    top, bottom, left, right = scenes.box_on_canvas(np.array([[1, 7, 2, 5]]), place)[0]
    # The box runs where the ink has fallen to half.
    rows = np.flatnonzero(picture.max(axis=1) > 0.5)
    columns = np.flatnonzero(picture.max(axis=0) > 0.5)
    assert (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1) == (top, bottom, left, right)


def test_render_is_linear_interpolation_of_the_drawing():
    rng = np.random.default_rng(0)
    drawing, place = rng.random((1, 8, 8)), placed(3.3, -4.7, 1.9)
    picture = scenes.render(drawing, place)[0]
    padded = np.pad(drawing[0], 1)  # the drawing ends in emptiness
    for y, x in [(5, 2), (9, 7), (17, 0), (4, 9)]:
        v = np.clip((y + 0.5 - 3.3) / 1.9 - 0.5 + 1, 0, 8.999)
        u = np.clip((x + 0.5 + 4.7) / 1.9 - 0.5 + 1, 0, 8.999)
        i, j, a, b = int(v), int(u), v % 1, u % 1
        by_hand = (
            (1 - a) * (1 - b) * padded[i, j]
            + (1 - a) * b * padded[i, j + 1]
            + a * (1 - b) * padded[i + 1, j]
            + a * b * padded[i + 1, j + 1]
        )
        assert picture[y, x] == pytest.approx(by_hand)


def test_placements_reach_every_border_and_hide_no_more_than_allowed():
    box = scenes.ink_box(np.repeat(block_drawing(), 4000, axis=0))
    place = scenes.draw_placements(np.random.default_rng(0), box)
    edges = scenes.box_on_canvas(box, place)
    for low, high in (edges[:, :2].T, edges[:, 2:].T):
        hidden = (np.maximum(-low, 0) + np.maximum(high - SIDE, 0)) / (high - low)
        assert hidden.max() <= scenes.HIDDEN + 1e-9
        assert hidden.max() > scenes.HIDDEN - 0.01
        assert (low < 0).mean() == pytest.approx((high > SIDE).mean(), abs=0.03)


def test_no_drawing_serves_two_splits_and_every_class_is_in_proportion():
    labels = load_digits().target
    parts = scenes.source_split(labels)
    joined = np.concatenate(list(parts.values()))
    np.testing.assert_array_equal(np.sort(joined), np.arange(len(labels)))
    for name, share in scenes.SHARES.items():
        counts = np.bincount(labels[parts[name]], minlength=10)
        assert np.abs(counts - share * np.bincount(labels)).max() <= 1.0


def test_background_varies_in_every_picture_and_from_corner_to_corner():
    pictures = scenes.backgrounds(np.random.default_rng(0), 200)
    assert pictures.std(axis=(1, 2)).min() > 4.0
    assert pictures[:, :4, :4].std(axis=(1, 2)).min() > 0.3


def test_clutter_is_ink_between_none_and_full():
    rng = np.random.default_rng(0)
    for pictures in (
        scenes.strokes(rng, 100),
        scenes.fragments(rng, load_digits().images[:50] / 16, 100),
    ):
        assert pictures.shape == (100, SIDE, SIDE)
        assert pictures.min() >= 0.0
        assert pictures.max() <= 1.0
        assert pictures.max(axis=(1, 2)).mean() > 0.7
        assert pictures.mean() < 0.1  # it covers little


def test_fragments_come_from_everywhere_in_a_drawing():
    drawing = np.zeros((1, 8, 8))
    drawing[0, 6] = drawing[0, :, 1] = 0.5
    drawing[0, 6, 1] = 1.0
    pictures = scenes.fragments(np.random.default_rng(0), drawing, 2000)
    # Of the five rows and five columns a piece may begin at, two each hold the line.
    shares = [(pictures.max(axis=(1, 2)) > level).mean() for level in (0.1, 0.7)]
    assert shares == pytest.approx([1 - 0.6 * 0.6, 0.4 * 0.4], abs=0.08)


def test_streams_are_fixed_and_differ_by_purpose():
    first = scenes.stream("train").random(3)
    np.testing.assert_array_equal(first, scenes.stream("train").random(3))
    assert not np.array_equal(first, scenes.stream("test").random(3))
