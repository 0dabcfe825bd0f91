"""The figures of the page on padding's cost are those of its tables."""

import csv

from experiments.benchmarks.options import RESULTS

CASES = (
    *(f"small_cnn, {batch}×28×28×1" for batch in (16, 64, 256)),
    "vgg16 width 0.25, 32×32×32×3",
)
SECTIONS = {"TensorFlow": "models", "PyTorch": "pytorch"}


def ratios():
    """(section, mode) -> the ratio of each case."""
    with open(RESULTS / "padding" / "networks" / "padding-tensorflow.csv", newline="") as file:
        found = {
            (r["section"], r["variant"], r["case"]): float(r["ratio"]) for r in csv.DictReader(file)
        }
    return {
        key: [found[(*key, case)] for case in CASES]
        for key in {k[:2] for k in found}
        if (*key, CASES[0]) in found
    }


def test_the_ratios_of_networks_are_those_of_the_table():
    page = (RESULTS / "padding" / "README.md").read_text()
    part = page.split("### In networks, compared with PyTorch's ratios")[1].split("\n## ")[0]
    measured, mode, seen = ratios(), "", set()
    for line in part.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|") or cells[1] not in SECTIONS:
            continue
        mode = cells[0] or mode
        key = SECTIONS[cells[1]], mode
        assert cells[2:] == [f"{ratio:.2f}" for ratio in measured[key]]
        seen.add(key)
    assert seen == {(s, m) for s, m in measured if m != "zeros again"}
    quotients = [
        a / b
        for a, b in zip(
            measured["models", "circular"], measured["pytorch", "circular"], strict=True
        )
    ]
    assert f"| {' | '.join(f'{q:.2f}' for q in quotients)} |" in part
    above = [
        round(a, 2) - round(b, 2)
        for mode in ("reflect", "replicate")
        for a, b in zip(measured["models", mode], measured["pytorch", mode], strict=True)
    ]
    told = f"by {min(above):+.2f} to {max(above):+.2f}".replace("-", "−")
    assert told in part.replace("\n", " ")
