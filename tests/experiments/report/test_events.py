"""The summary's events, read back as TensorBoard reads them."""

import statistics

import pytest
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.hparams import metadata
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from experiments.report import writing as report
from experiments.report.events import PICTURES
from tests import made
from tests.helpers import read_back


@pytest.fixture
def study(tmp_path):
    made.study(tmp_path)
    made.run(tmp_path, "same", 0, model={"kernel_size": 4})
    report.write(tmp_path)
    return tmp_path


def test_the_root_has_pictures_tables_and_bands(study):
    events = read_back(study / "_summary")
    of_classes = [PICTURES[name] for name in PICTURES.keys() - {"border", "examples"}]
    assert events.Tags()["images"] == sorted(of_classes), "as TensorBoard shows them"
    assert next(iter(PICTURES)) == "differences"
    texts = [tag for tag in events.Tags()["tensors"] if tag.endswith("/text_summary")]
    assert [tag.split("/")[0] for tag in texts] == ["cells", "against_same"]
    content = events.Tensors(texts[0])[0].tensor_proto.string_val[0].decode()
    assert "| small\\_cnn | placed\\_digits | 3 | valid | 6 |" in content
    family = "small_cnn_kernel_size_3_on_placed_digits"
    validation = [0.78 + seed / 1000 for seed in range(6)]
    first, last = events.Scalars(f"{family}/valid/mean")
    assert (first.step, last.step) == (1, 2)
    assert last.value == pytest.approx(statistics.mean(validation))
    (_, low), (_, high) = (events.Scalars(f"{family}/valid/{end}") for end in ("low", "high"))
    assert low.value < last.value < high.value


def test_the_layout_names_tags_that_are_there(study):
    root = read_back(study / "_summary")
    tensor = root.Tensors("custom_scalars__config__")[0].tensor_proto
    layout = layout_pb2.Layout.FromString(tensor.string_val[0])
    assert len(layout.category) == 2
    for category in layout.category:
        *single, together = category.chart
        assert together.title == "all paddings"
        for chart in single:
            (series,) = chart.margin.series
            assert {series.value, series.lower, series.upper} <= set(root.Tags()["scalars"])
    cell = next(study.glob("small_cnn-valid-*")).name
    (series,) = layout.category[0].chart[-1].margin.series
    assert {series.value, series.lower, series.upper} <= set(
        read_back(study / "_summary" / cell).Tags()["scalars"]
    )


def test_every_cell_is_a_session_of_its_own_with_the_means(study):
    folders = {path.name for path in (study / "_summary").iterdir() if path.is_dir()}
    assert folders == {path.name for path in study.glob("small_cnn-*")}
    for name in folders:
        events = read_back(study / "_summary" / name)
        content = events.PluginTagToContent(metadata.PLUGIN_NAME)
        start = HParamsPluginData.FromString(content[metadata.SESSION_START_INFO_TAG])
        assert start.session_start_info.group_name == name
        assert start.session_start_info.hparams["kernel_size"].string_value in "34"
        if "-valid-" in name:
            accuracies = [made.outcomes("valid", seed).mean() for seed in range(6)]
            scalars = [events.Scalars(tag)[-1].value for tag in ("test/accuracy", "test/seeds")]
            assert scalars == pytest.approx([statistics.mean(accuracies), 6])
            (spread,) = events.Scalars("test/accuracy_sd")
            assert spread.value == pytest.approx(statistics.stdev(accuracies))


@pytest.mark.full
def test_it_is_written_anew_whole(study):
    (before,) = (study / "_summary").glob("events*")
    for directory in study.glob("small_cnn-valid-*"):
        directory.rename(study.parent / "elsewhere")
    report.write(study)
    (after,) = (study / "_summary").glob("events*")
    assert after != before
    assert not list((study / "_summary").glob("small_cnn-valid-*"))
    read_back(study / "_summary")
