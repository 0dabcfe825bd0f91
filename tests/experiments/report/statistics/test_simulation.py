"""The committed table is what the command computes, and keeps what the rule promises."""

import csv

import numpy as np
import pytest

from experiments.report.statistics import simulation

with open(simulation.OUT / "verdicts.csv", newline="") as file:
    TABLE = {(r["noise"], r["seeds"], int(r["comparisons"])): r for r in csv.DictReader(file)}
RATES = ("differs", "equivalent", "covers")


def test_every_setting_is_in_the_table():
    wanted = {(kind, "/".join(map(str, looks)), k) for kind, looks, k in simulation.settings()}
    assert set(TABLE) == wanted
    assert {int(row["studies"]) for row in TABLE.values()} == {simulation.STUDIES}
    assert simulation.STUDIES >= 10_000


@pytest.mark.parametrize(
    ("kind", "looks", "comparisons"),
    [
        ("normal", (6,), 5),
        ("normal", (8, 12, 20), 1),
        ("t2", (3,), 11),
        ("exponential cells", (10,), 1),
        ("collapsing cells", (8, 12, 20), 5),
    ],
)
def test_a_row_is_computed_again(kind, looks, comparisons):
    found = simulation.row(kind, looks, comparisons, simulation.STUDIES)
    told = TABLE[kind, found["seeds"], comparisons]
    for name in RATES:  # another processor may round one study to the other side
        assert found[name] == pytest.approx(float(told[name]), abs=2 / simulation.STUDIES), name
    if found["width"] is None:
        assert told["width"] == ""
    else:
        assert found["width"] == pytest.approx(float(told["width"]), abs=2e-4)


def test_the_page_is_that_of_the_table():
    rows = [simulation.row("normal", (5,), 1, 1000), simulation.row("t2", (5,), 1, 1000)]
    page = simulation.page(rows)
    assert f"| t2 | 5 | 1 | {100 * rows[1]['differs']:.1f} |" in page
    committed = (simulation.OUT / "README.md").read_text()
    for (kind, seeds, k), row in TABLE.items():
        rates = " | ".join(f"{100 * float(row[name]):.1f}" for name in RATES)
        width = f"{float(row['width']):.2f}" if row["width"] else "–"
        assert f"| {kind} | {seeds} | {k} | {rates} | {width} |" in committed


def test_every_kind_of_noise_beyond_five_per_cent_is_named_with_the_noise_of_the_simulation():
    rows = [
        {"noise": noise, "seeds": "5", "comparisons": 1, "studies": 20_000, "width": 1.0}
        | {"differs": rate, "equivalent": 0.02, "covers": 0.95}
        for noise, rate in (("normal", 0.0512), ("t2", 0.0499), ("collapsing cells", 0.12))
    ]
    told = " ".join(simulation.page(rows).split())
    assert (
        "More than 5 % false differences: normal: 1 of 1 settings, up to 5.1 %; collapsing cells: "
        "1 of 1 settings, up to 12.0 %. A rate of 5 % has a standard error of 0.15 points"
    ) in told


def test_the_committed_page_names_what_its_table_has():
    committed = " ".join((simulation.OUT / "README.md").read_text().split())
    for kind in simulation.KINDS:
        own = [float(row["differs"]) for (noise, _, _), row in TABLE.items() if noise == kind]
        over = [rate for rate in own if rate > 0.05]
        told = f"{kind}: {len(over)} of {len(own)} settings, up to {100 * max(own):.1f} %"
        assert (told in committed) == bool(over)


def test_with_normal_differences_the_promises_are_kept():
    """Errors of at most 5 % up to the noise of the simulation, whatever the number of looks."""
    noise = 3 * np.sqrt(0.05 * 0.95 / simulation.STUDIES)
    for (kind, seeds, k), row in TABLE.items():
        if kind == "normal":
            assert float(row["differs"]) <= 0.05 + noise, (seeds, k)
            assert float(row["equivalent"]) <= 0.025 + noise, (seeds, k)
            assert float(row["covers"]) >= 0.945, (seeds, k)
        if kind == "normal" and seeds == "20":
            assert float(row["width"]) <= 1.15


def test_differences_have_the_variance_that_the_width_is_relative_to():
    for kind, variance in (("normal", 1.0), ("exponential cells", 1.0), ("collapsing cells", 3.4)):
        drawn = simulation.differences(kind, 10, 2, 5000)
        assert drawn.shape == (5000, 10, 2)
        assert drawn.mean() == pytest.approx(0, abs=0.05)
        assert drawn.var() == pytest.approx(variance, rel=0.06)
    down, up = (np.quantile(drawn, q) for q in (0.01, 0.99))
    assert -down > 2 * up, "seeds fall, they do not rise"


def test_the_command_writes_table_and_page(tmp_path):
    assert simulation.main(["--out", str(tmp_path), "--studies", "20"]) == 0
    assert len((tmp_path / "verdicts.csv").read_text().splitlines()) == len(TABLE) + 1
    page = (tmp_path / "README.md").read_text()
    assert "\n20 simulated studies" in page
    _, new = page.split("## Over new test images")
    assert "\n100 simulated studies" in new
    assert "| all three | 20 | 540 | 5 |" in new
    lines = (tmp_path / "new_images.csv").read_text().splitlines()
    assert len(lines) == len(list(simulation.new_images.settings())) + 1
