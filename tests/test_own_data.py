"""Data of the user's own as the program meets it: what is said of it, and what is refused."""

import numpy as np
import pytest
from PIL import Image

SMALL = ("model.widths=[2]", "model.convs_per_stage=[1]", "trainer.epochs=1")
QUIET = ("trainer.progress=false", "trainer.batch_size=8")


@pytest.fixture
def call(program):
    """`call(…)` trains a very small network, in an empty folder."""
    return lambda *arguments: program(*SMALL, *QUIET, *arguments)


def test_what_a_folder_leaves_aside_is_said_once_by_a_run_and_by_a_sweep(call, tmp_path):
    own = tmp_path / "own"
    for i in range(24):
        (own / f"class{i % 2}").mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(i).integers(0, 256, (8, 8, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(own / f"class{i % 2}" / f"{i}.{('png', 'webp')[i % 3 > 0]}")
    (own / "class0" / "labels.txt").write_text("")
    says = "image_folder: 24 images are read; left aside: .txt files (1)\n"
    for arguments in (["study=one"], ["study=many", "-m", "padding=same,valid", "seed=0"]):
        outcome = call("data=image_folder", f"data.path={own}", *arguments)
        assert (outcome.code, outcome.err) == (0, "")
        assert outcome.out.count(says) == 1
