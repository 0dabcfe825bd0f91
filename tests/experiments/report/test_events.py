"""The summary's events, read back as TensorBoard reads them."""

import re
import statistics

import pytest
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.hparams import metadata
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from experiments.report import writing as report
from experiments.report.events import PICTURES
from experiments.run.record import files
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


def test_seeds_that_go_on_after_the_band_has_ended_are_lines_in_the_colour_of_their_padding(
    tmp_path,
):
    made.study(tmp_path, ("same", "valid"), range(3))
    (longer,) = tmp_path.glob("small_cnn-valid-*/seed=1")
    curve = files.read_csv(longer / "metrics.csv")
    more = [{**curve[-1], "epoch": epoch, "validation_accuracy": epoch / 10} for epoch in (3, 4)]
    files.write_csv(longer / "metrics.csv", [*curve, *more])
    report.write(tmp_path)
    own = read_back(tmp_path / "_summary" / longer.parent.name)
    family = "small_cnn_on_placed_digits"
    assert [event.step for event in own.Scalars(f"{family}/mean")] == [1, 2]
    points = [(event.step, event.value) for event in own.Scalars(f"{family}/seed_1")]
    assert points == [(2, pytest.approx(0.781)), (3, pytest.approx(0.3)), (4, pytest.approx(0.4))]
    root = read_back(tmp_path / "_summary")
    tensor = root.Tensors("custom_scalars__config__")[0].tensor_proto
    (category,) = layout_pb2.Layout.FromString(tensor.string_val[0]).category
    lines = category.chart[-2]
    assert lines.title == "seeds that train longer than the first"
    found = [tag for tag in own.Tags()["scalars"] if re.search(lines.multiline.tag[0], tag)]
    assert found == [f"{family}/seed_1"]
    assert not [tag for tag in root.Tags()["scalars"] if re.search(lines.multiline.tag[0], tag)]


def test_the_contrasts_are_a_table_beside_the_others(tmp_path):
    made.study(tmp_path, ("same", "valid"), range(3))
    made.study(tmp_path, ("same", "valid"), range(3), data={"name": "mnist1d"})
    between = {"data": ["placed_digits", "mnist1d"]}
    made.plan(tmp_path, contrasts=[{"padding": ["valid"], "between": between}])
    report.write(tmp_path)
    events = read_back(tmp_path / "_summary")
    (tag,) = (tag for tag in events.Tags()["tensors"] if tag.startswith("contrasts"))
    content = events.Tensors(tag)[0].tensor_proto.string_val[0].decode()
    row = next(line for line in content.splitlines() if line.startswith("| valid: placed"))
    assert row in (tmp_path / "report" / "report.md").read_text()
