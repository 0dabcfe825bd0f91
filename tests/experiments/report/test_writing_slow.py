"""Ten thousand runs are read and reported in under a minute."""

import itertools
import json
import os
import time

import pytest

from experiments.report import writing as report
from models.padding import NAMED
from tests import made

SETS = ("mnist", "kmnist", "cifar10", "svhn_cropped", "emnist")
KERNELS = range(2, 12)
PADDINGS = [name for name in NAMED if name not in ("causal", "input", "spherical")]
SEEDS = 10
ITEMS = 3000


def many(study, one):
    """A family for each data set and kernel size, each with the files of the one family there is.

    All but the configuration are links: what is read is as much, and the disk is spared.
    """
    for i, (name, kernel_size) in enumerate(itertools.product(SETS, KERNELS)):
        for directory in one.glob("*/seed=*"):
            config = json.loads((directory / "config.json").read_text())
            config["data"] |= {"name": name, "source": "tfds"}
            config["model"]["kernel_size"] = kernel_size
            made_up = directory.parent.name.replace("placed_digits", name)[:-8] + f"{i:08x}"
            copy = study / made_up / directory.name
            copy.mkdir(parents=True)
            for file in directory.iterdir():
                if file.name != "config.json":
                    os.link(file, copy / file.name)
            (copy / "config.json").write_text(json.dumps(config))


@pytest.mark.slow
def test_ten_thousand_runs_take_under_a_minute(tmp_path, capsys):
    one = tmp_path / "one"
    for padding, seed in itertools.product(PADDINGS, range(SEEDS)):
        made.run(one, padding, seed, right=made.outcomes(padding, seed, ITEMS))
    study = tmp_path / "many"
    many(study, one)
    begun = time.perf_counter()
    found = report.write(study)
    seconds = time.perf_counter() - begun
    runs = sum(len(cell.records) for cell in found.study.cells)
    families = len(found.families)
    with capsys.disabled():
        print(f"\n{runs:,} runs of {ITEMS:,} test items in {families} families: {seconds:.1f} s")
    assert (runs, families, found.study.absent) == (10_000, len(SETS) * len(KERNELS), [])
    comparisons = [c for one in found.compared for c in one.comparisons]
    assert len(comparisons) == families * (len(PADDINGS) - 1)
    assert all(c.over_new_images for c in comparisons)
    assert seconds < 60
