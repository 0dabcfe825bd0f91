import dataclasses
import itertools
import re

import numpy as np
import pytest
from matplotlib.text import Text

from experiments.report.compare.families import families
from experiments.report.compare.reading import read
from experiments.report.pages.pictures import cost_plot, plots
from experiments.report.pages.pictures.canvas import colour
from experiments.report.statistics.paired import interval
from experiments.run.record import files
from tests import made


@pytest.fixture
def found(tmp_path):
    return families(read(made.study(tmp_path)).cells)


def accuracies(padding):
    return [100 * made.outcomes(padding, seed).mean() for seed in range(6)]


def test_every_seed_is_a_dot_and_the_deciding_interval_a_line(found):
    intervals = {found[0].title: (80.0, {"valid": (-22.0, -17.5), "reflect": (-1.0, 2.0)})}
    (axis,) = plots.accuracy(found, intervals=intervals).axes
    names = [label.get_text() for label in axis.get_yticklabels()]
    paddings = ("reflect", "same", "valid")
    assert names == [f"{p}  {np.mean(accuracies(p)):.2f}" for p in paddings]
    assert axis.get_title() == "small_cnn on placed_digits, n=6"
    dots = [line.get_xdata().tolist() for line in axis.lines if line.get_marker() == "o"]
    assert dots == [accuracies(p) for p in paddings]
    drawn = [c.get_segments()[0] for c in axis.collections]
    assert [segment[:, 0].tolist() for segment in drawn] == [[79.0, 82.0], [58.0, 62.5]]
    assert [round(segment[0, 1]) for segment in drawn] == [0, 2]
    assert any(line.get_xdata() == [80.0, 80.0] for line in axis.lines)


def test_without_comparisons_no_interval_is_drawn(found):
    (axis,) = plots.accuracy(found).axes
    assert not axis.collections


def test_a_row_says_its_n_where_they_differ(tmp_path):
    made.study(tmp_path, ("same",), (0, 1))
    made.study(tmp_path, ("valid",), (0,))
    (axis,) = plots.accuracy(families(read(tmp_path).cells)).axes
    names = [label.get_text().split("  ")[0] for label in axis.get_yticklabels()]
    assert names == ["same, n=2", "valid, n=1"]


def test_margins_are_a_line_a_padding(found):
    (axis,) = plots.by_margin(found).axes
    assert [label.get_text() for label in axis.get_xticklabels()] == list(made.MARGINS)
    lines = {line.get_label(): line.get_ydata() for line in axis.lines}
    third = [100 * np.array_split(made.outcomes("valid", s), 3)[0].mean() for s in range(6)]
    assert lines["valid"][0] == pytest.approx(np.mean(third))
    assert set(lines) == {"reflect", "same", "valid"}


def test_data_without_margins_has_no_such_picture(tmp_path):
    made.run(tmp_path, subsets=np.repeat(["near", "far"], made.ITEMS // 2))
    assert plots.by_margin(families(read(tmp_path).cells)) is None


def test_bands_are_the_mean_and_its_interval_by_epoch(found):
    (family,) = found
    rows = plots.band(family.cells["same"])
    second = [100 * (0.78 + seed / 1000) for seed in range(6)]
    assert [row[0] for row in rows] == [1, 2]
    assert rows[1][1:] == pytest.approx(interval(second))
    (axis,) = plots.curves(found).axes
    assert {line.get_label() for line in axis.lines} == {"reflect", "same", "valid"}


def ended(folder, padding, seed, accuracies):
    """A run with these validation accuracies, one an epoch."""
    directory = made.run(folder, padding, seed)
    rows = [{"epoch": i + 1, "validation_accuracy": a} for i, a in enumerate(accuracies)]
    files.write_csv(directory / "metrics.csv", rows)


def test_learning_curves_run_to_the_end_of_every_seed(tmp_path):
    ended(tmp_path, "same", 0, [0.1, 0.2, 0.3, 0.4])
    ended(tmp_path, "same", 1, [0.2, 0.4])
    ended(tmp_path, "same", 2, [0.3, 0.6, 0.9])
    ended(tmp_path, "valid", 0, [0.5, 0.5])
    found = families(read(tmp_path).cells)
    same = found[0].cells["same"]
    assert [row[:2] for row in plots.band(same)] == [(1, pytest.approx(20)), (2, pytest.approx(40))]
    assert plots.tails(same) == {
        0: [(2, 20.0), (3, 30.0), (4, 40.0)],
        2: [(2, 60.0), (3, 90.0)],
    }
    assert plots.tails(found[0].cells["valid"]) == {}
    (axis,) = plots.curves(found).axes
    assert axis.get_xlabel() == "epoch"
    ends = [line.get_xdata()[-1] for line in axis.lines if line.get_color() == colour(0)]
    assert ends == [2, 4, 4, 3, 3], "the mean, and the two that went on with a dot at their end"


def test_nothing_is_drawn_beyond_0_and_100_per_cent(tmp_path):
    for seed, last in enumerate((0.98, 1.0)):
        ended(tmp_path, "same", seed, [0.0, last])
        ended(tmp_path, "valid", seed, [0.0, 0.02 * seed])
        for padding, right in (("half", 400), ("full", 0)):
            made.run(tmp_path, padding, seed, right=np.arange(made.ITEMS) < right - 2 * seed)
    found = families(read(tmp_path).cells)
    same, valid = (plots.band(found[0].cells[name])[-1] for name in ("same", "valid"))
    assert same[3] == 100 and same[2] > 0
    assert valid[2] == 0 and valid[3] < 100
    wide = {found[0].title: (99.0, {"full": (-120.0, 20.0)})}
    pictures = {
        "x": [plots.accuracy(found, intervals=wide)],
        "y": [plots.curves(found), plots.by_margin(found), cost_plot.against_cost(found)],
    }
    for way, figures in pictures.items():
        for figure in figures:
            for axis in figure.axes:
                low, high = getattr(axis, f"get_{way}lim")()
                assert 0 <= low < high <= 100


def test_curves_and_margins_share_their_scale_and_others_say_that_they_do_not(tmp_path):
    made.study(tmp_path, ("same", "valid"), (0, 1))
    made.study(tmp_path, ("same",), (0, 1), data={"name": "mnist", "source": "tfds"})
    found = families(read(tmp_path).cells)
    for figure in (plots.curves(found), plots.by_margin(found)):
        assert len({axis.get_ylim() for axis in figure.axes}) == 1
        heights = [y for axis in figure.axes for line in axis.lines for y in line.get_ydata()]
        low, high = figure.axes[0].get_ylim()
        assert low <= min(heights) and max(heights) <= high
        assert all(axis.yaxis.get_tick_params()["labelleft"] for axis in figure.axes)
    labels = [axis.get_xlabel() for axis in plots.accuracy(found).axes]
    assert labels == ["test accuracy, %; own scale"] * 2
    labels = [axis.get_ylabel() for axis in cost_plot.against_cost(found).axes]
    assert labels == ["test accuracy, %; own scale"] * 2
    (alone,) = plots.accuracy(found[:1]).axes
    assert alone.get_xlabel() == "test accuracy, %"


def test_long_titles_lie_in_the_picture(tmp_path):
    for kernel in (2, 3, 4):
        made.run(tmp_path, model={"kernel_size": kernel}, optimizer={"learning_rate": kernel / 777})
    found = families(read(tmp_path).cells)
    for figure in (plots.accuracy(found), plots.curves(found), plots.by_margin(found)):
        figure.draw_without_rendering()
        for axis in figure.axes:
            box = axis.title.get_window_extent()
            assert box.x0 >= 0 and box.x1 <= figure.bbox.x1
            assert box.y1 <= figure.bbox.y1


def test_a_cell_alone_shows_its_training_too(tmp_path):
    made.run(tmp_path)
    (axis,) = plots.curves(families(read(tmp_path).cells)).axes
    assert [line.get_label() for line in axis.lines] == ["same, validation", "same, training"]


def boxes(figure):
    """The texts of a figure, each with the pixels by which it leaves the figure."""
    figure.draw_without_rendering()
    all_, found = figure.bbox, {}
    for text in figure.findobj(Text):
        # Numbers of an axis beyond its limits are not drawn.
        if text.get_text() and not re.fullmatch(r"[−\d.]+", text.get_text()):
            box = text.get_window_extent()
            out = max(all_.x0 - box.x0, box.x1 - all_.x1, all_.y0 - box.y0, box.y1 - all_.y1)
            found[text.get_text()] = out
    return found


@pytest.fixture
def tuned(tmp_path):
    """Four families of cells, each of which tells what was tuned for it."""
    for padding in ("same", "valid", "latitude_longitude"):
        for model, data in itertools.product(("small_cnn", "inception"), ("some_digits", "mnist")):
            rate = {"learning_rate": 0.00033 if padding == "same" else 0.003, "weight_decay": 0.1}
            for seed in range(2):
                made.run(
                    tmp_path,
                    padding,
                    seed,
                    model={"name": model},
                    data={"name": data, "source": "tfds"},
                    optimizer=rate,
                )
    cells = read(tmp_path).cells
    long = [
        dataclasses.replace(c, aliases=("half", "symmetric")[: len(c.label) // 5]) for c in cells
    ]
    return families(long, ("optimizer.learning_rate", "optimizer.weight_decay"))


def test_what_was_tuned_is_shown_in_whole_and_nothing_leaves_the_picture(tuned):
    assert len(tuned) == 4
    for few in (tuned, tuned[:3], tuned[:1]):
        shown = {family.shown(name) for family in few for name in family.cells}
        figures = plots.accuracy(few), plots.curves(few), plots.by_margin(few)
        for figure in (*figures, cost_plot.against_cost(few)):
            found = boxes(figure)
            assert {text: out for text, out in found.items() if out > 0} == {}
            told = " ; ".join(" ".join(text.split()) for text in found)
            assert figure not in figures or all(one in told for one in shown)
        for axis in figures[0].axes:
            rows = [label.get_window_extent() for label in axis.get_yticklabels()]
            assert all(a.y0 > b.y1 for a, b in itertools.pairwise(rows)), "labels meet"
