from experiments.report.compare.families import families
from experiments.report.compare.reading import read
from experiments.report.pages.pictures import cost_plot
from tests import made


def test_cost_is_a_panel_a_data_set(tmp_path):
    made.run(tmp_path)
    made.run(tmp_path, model={"kernel_size": 4})
    made.run(tmp_path, data={"name": "mnist", "source": "tfds"})
    figure = cost_plot.against_cost(families(read(tmp_path).cells))
    assert sorted(axis.get_title() for axis in figure.axes) == ["mnist", "placed_digits"]
    points = [point for axis in figure.axes for point in axis.lines]
    assert [point.get_xdata()[0] for point in points] == [7.225984] * 3
