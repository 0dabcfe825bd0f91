import itertools

import numpy as np
import pytest

from experiments.report.compare.differences import Declared, against_baseline
from experiments.report.compare.families import families
from experiments.report.compare.reading import read
from experiments.report.pages.pictures import forest
from experiments.report.pages.pictures.canvas import DOT, MEAN
from tests import made

ROWS = [
    forest.Row("near", [0.5, 0.7, 0.6], 0.4, 0.8, 0.6, "differs"),
    forest.Row("alone", (), None, None, None, "not compared, it has no runs"),
    forest.Row("tie", [0.0, 0.0], None, None, 0.0, "a tie in 2 seeds"),
    forest.Row("far", [-30.0, -20.0], -31.5, -18.5, -25.0, "differs"),
    forest.Row("ahead", [2.0, 4.0], -1.0, 7.0, 3.0, "undecided"),
]


def compared(study, metric="test_accuracy", **declared):
    found = families(read(study, metric).cells)
    return [against_baseline(family, Declared(metric=metric, **declared)) for family in found]


def lines(axis, colour, marker):
    """Height -> what is drawn there."""
    return {
        round(float(line.get_ydata()[0])): line.get_xdata()
        for line in axis.lines
        if line.get_color() == colour and line.get_marker() == marker and len(line.get_xdata())
    }


def texts(axis):
    """Height -> the texts at the right, from left to right."""
    found = {}
    for text in sorted(axis.texts, key=lambda text: text.xyann[0]):
        assert text.xy[0] == 1, "the right end of the axes"
        found.setdefault(text.xy[1], []).append(text.get_text())
    return found


def test_rows_are_sorted_with_dots_interval_margin_and_words():
    figure = forest.picture([forest.Panel("some", "points", ROWS, 0.5)])
    (axis,) = figure.axes
    names = [label.get_text() for label in axis.get_yticklabels()]
    assert names == ["ahead", "near", "tie", "far", "alone"]
    assert axis.get_ylim()[0] > axis.get_ylim()[1], "the largest is on top"
    dots, means = lines(axis, DOT, "o"), lines(axis, MEAN, "|")
    assert {place: list(x) for place, x in dots.items()} == {
        0: [2.0, 4.0], 1: [0.5, 0.7, 0.6], 2: [0.0, 0.0], 3: [-30.0, -20.0]
    }  # fmt: skip
    assert {place: x[0] for place, x in means.items()} == {0: 3.0, 1: 0.6, 2: 0.0, 3: -25.0}
    segments = [c.get_segments()[0] for c in axis.collections]
    assert {round(s[0, 1]): s[:, 0].tolist() for s in segments} == {
        0: [-1.0, 7.0], 1: [0.4, 0.8], 3: [-31.5, -18.5]
    }  # fmt: skip
    (band,) = axis.patches
    assert band.get_extents().transformed(axis.transData.inverted()).intervalx == pytest.approx(
        [-0.5, 0.5]
    )
    assert any(list(line.get_xdata()) == [0, 0] and line.get_ls() == "--" for line in axis.lines)
    assert texts(axis) == {
        0: ["+3.00 [-1.00, +7.00]", "undecided"],
        1: ["+0.60 [+0.40, +0.80]", "differs"],
        2: ["+0.00", "a tie in 2 seeds"],
        3: ["-25.00 [-31.50, -18.50]", "differs"],
        4: ["–", "not compared, it has no runs"],
    }


def test_the_marks_are_explained_if_they_are_drawn():
    def key(panels):
        (legend,) = forest.picture(panels).legends
        return [text.get_text() for text in legend.get_texts()]

    marks = ["one seed", "their mean", "the interval that decides", "the margin"]
    assert key([forest.Panel("some", "points", ROWS, 0.5)] * 2) == marks
    assert key([forest.Panel("some", "points", ROWS, None)]) == marks[:3]
    assert key([forest.Panel("some", "points", ROWS[1:3], None)]) == marks[:2]


def test_all_that_is_drawn_lies_in_the_picture():
    words = "not compared, differs from same in source hash (0a1b2c, 3d4e5f), threads (1, 2), more"
    tuned = "latitude_longitude, also symmetric (learning_rate 0.00033, weight_decay 0.0005)"
    rows = [*ROWS, forest.Row("latitude_longitude, also replicate, full", (), None, None, 1, words)]
    rows.append(forest.Row(tuned, (), None, None, 2, words))
    figure = forest.picture([forest.Panel("some", "points", rows, None)] * 2)
    figure.draw_without_rendering()
    lines = [line for t in figure.axes[0].texts for line in t.get_text().splitlines()]
    assert max(map(len, lines)) <= forest.WORDS
    assert tuned in [" ".join(t.get_text().split()) for t in figure.axes[0].get_yticklabels()]
    assert figure.legends[0].get_window_extent().x1 <= figure.bbox.x1
    for axis in figure.axes:
        names = [label.get_window_extent() for label in axis.get_yticklabels()]
        assert all(a.y0 > b.y1 for a, b in itertools.pairwise(names)), "labels meet"
        assert axis.get_window_extent().width > 0.45 * figure.bbox.width
        box = axis.get_tightbbox()
        assert box.x0 >= 0 and box.y0 >= 0
        assert box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1


def test_each_panel_has_its_own_scale_and_says_so():
    panels = [forest.Panel("a", "points", ROWS, 1.0), forest.Panel("b", "points", ROWS[:1], 1.0)]
    wide, narrow = forest.picture(panels).axes
    assert wide.get_xlim()[0] < -30
    assert narrow.get_xlim()[0] > -2
    assert {axis.get_xlabel() for axis in (wide, narrow)} == {"points; this panel's own scale"}
    (alone,) = forest.picture(panels[:1]).axes
    assert alone.get_xlabel() == "points"
    assert forest.picture([]) is None


def test_a_familys_rows_are_its_paired_differences_and_deciding_intervals(tmp_path):
    made.study(tmp_path)
    made.study(tmp_path, ("full",), (0, 5))
    (one,) = compared(tmp_path, margin=2.0)
    panel = forest.panel(one, "test_accuracy")
    assert (panel.title, panel.margin) == ("small_cnn on placed_digits, n=6", 2.0)
    assert panel.axis == "difference from same, points of test accuracy"
    rows = {row.label: row for row in panel.rows}
    assert set(rows) == {"reflect", "valid", "full"}
    differences = [
        100 * (made.outcomes("valid", seed).mean() - made.outcomes("same", seed).mean())
        for seed in range(6)
    ]
    assert rows["valid"].differences == pytest.approx(differences)
    c = one.of("valid")
    assert (rows["valid"].low, rows["valid"].high, rows["valid"].mean) == (c.low, c.high, c.mean)
    assert rows["valid"].words == "differs"
    full = rows["full"]
    assert (full.low, full.high, full.words) == (None, None, "not compared, lacks seeds 1, 2, 3, 4")
    assert full.mean == pytest.approx(np.mean(full.differences))
    assert len(full.differences) == 2


def test_seeds_beyond_the_look_are_no_dots(tmp_path):
    made.study(tmp_path, ("same", "valid"), range(5))
    (one,) = compared(tmp_path, looks=(3, 9))
    (row,) = forest.panel(one, "test_accuracy").rows
    assert len(row.differences) == 3


def test_words_tell_a_tie_and_why_there_is_no_interval(tmp_path):
    made.study(tmp_path, ("same", "valid"), range(3))
    for seed in range(3):
        made.run(tmp_path, "symmetric", seed, right=made.outcomes("same", seed))
    (one,) = compared(tmp_path)
    assert forest.told(one, "symmetric") == ("+0.00", "identical, bit for bit")
    assert forest.told(one, "same") == ("–", "the baseline")
    (early,) = compared(tmp_path, looks=(8, 12))
    numbers, words = forest.told(early, "valid")
    assert numbers == f"{early.of('valid').mean:+.2f}"
    assert words == "undecided: the first look is at 8 seeds"


def test_a_family_without_a_baseline_or_shared_seeds_has_no_panel(tmp_path):
    made.study(tmp_path, ("reflect", "valid"), range(2))
    (one,) = compared(tmp_path)
    assert forest.panel(one, "test_accuracy") is None
