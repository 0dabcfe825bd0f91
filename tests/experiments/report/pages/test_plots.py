import numpy as np
import pytest

from experiments.report.compare.families import families
from experiments.report.compare.reading import read
from experiments.report.pages import plots
from experiments.report.statistics.paired import interval
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


def test_cost_is_a_panel_a_data_set(tmp_path):
    made.run(tmp_path)
    made.run(tmp_path, model={"kernel_size": 4})
    made.run(tmp_path, data={"name": "mnist", "source": "tfds"})
    figure = plots.against_cost(families(read(tmp_path).cells))
    assert sorted(axis.get_title() for axis in figure.axes) == ["mnist", "placed_digits"]
    points = [point for axis in figure.axes for point in axis.lines]
    assert [point.get_xdata()[0] for point in points] == [7.225984] * 3


def test_bands_are_the_mean_and_its_interval_by_epoch(found):
    (family,) = found
    rows = plots.band(family.cells["same"])
    second = [100 * (0.78 + seed / 1000) for seed in range(6)]
    assert [row[0] for row in rows] == [1, 2]
    assert rows[1][1:] == pytest.approx(interval(second))
    (axis,) = plots.curves(found).axes
    assert {line.get_label() for line in axis.lines} == {"reflect", "same", "valid"}


def test_a_cell_alone_shows_its_training_too(tmp_path):
    made.run(tmp_path)
    (axis,) = plots.curves(families(read(tmp_path).cells)).axes
    assert [line.get_label() for line in axis.lines] == ["same, validation", "same, training"]
