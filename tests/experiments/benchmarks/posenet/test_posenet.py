"""PosENet alone: its loss, its pictures, its report."""

import csv

import numpy as np
import pytest

from experiments.benchmarks.posenet import __main__ as posenet
from experiments.benchmarks.posenet import posenet_report
from experiments.probes.shared.readers import position_maps as maps
from experiments.report.pages.document import Items


def test_the_loss_is_the_mean_squared_error_of_stretched_maps():
    drawn = np.random.default_rng(0).uniform(size=(3, 30, 30, 3)).astype(np.float32)
    wide = maps.along_space(drawn, posenet.stretched)
    targets = np.stack([maps.target(name, (224, 224)) for name in posenet.MAPS], axis=-1)
    expected = np.square(wide - targets).mean(axis=(1, 2)).sum(axis=-1)
    assert np.asarray(posenet.loss_of(30)(None, drawn)) == pytest.approx(expected, rel=1e-3)


def test_windows_show_any_part_of_a_picture_at_any_place():
    ramp = np.broadcast_to(np.arange(8.0)[:, None, None], (5, 8, 8, 3))
    drawn = np.stack([posenet.window(ramp, rng) for rng in [np.random.default_rng(0)] * 4000])
    assert drawn.shape == (4000, 8, 8, 3)
    assert np.abs(drawn.mean(axis=(0, 2, 3)) - 3.5).max() < 0.2


@pytest.mark.slow
def test_both_readers_rise_with_their_zeros(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(320, 28, 28, 3)).astype(np.float32)
    rows = []
    for pad in (0, 2):
        seen = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
        told = {"sgd": posenet.trained(seen, seen[:50], 0), "exact": posenet.exact(seen, seen[:50])}
        for reader, drawn in told.items():
            for name, spc, mae in posenet.scores(drawn):
                place = {"pictures": "windows", "reader": reader, "pad": pad, "map": name}
                rows.append({**place, "seed": 0, "spc": spc, "mae": mae})
    for reader in ("sgd", "exact"):
        none, two = (
            posenet_report.chosen(rows, "spc", reader=reader, pad=pad, map="H")[0] for pad in (0, 2)
        )
        assert abs(none) < 0.1 and two > 0.25
    written = posenet_report.write(tmp_path, rows, Items(["machine: this one"]))
    assert all(path.is_file() for path in written)
    page = (tmp_path / "table.md").read_text()
    assert (
        "\n|---|---:|---:|---:|---:|\n| H | 0 | 0.012 |" in page and "- machine: this one" in page
    )
    assert len(list(csv.DictReader((tmp_path / "table.csv").open()))) == len(rows)


def test_data_that_is_not_there_is_one_plain_line(tmp_path, capsys):
    assert posenet.main(["--data-dir", str(tmp_path)]) == 2
    assert "cifar10" in capsys.readouterr().err
