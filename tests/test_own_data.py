"""Data of the user's own as the program meets it: what is said of it, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers import full, only_run
from tests.test_train import numbers

SMALL = ("model.widths=[2]", "model.convs_per_stage=[1]", "trainer.epochs=1")
QUIET = ("trainer.progress=false", "trainer.batch_size=8")


@pytest.fixture
def call(program):
    """`call(…)` trains a very small network, in an empty folder."""
    return lambda *arguments: program(*SMALL, *QUIET, *arguments)


@pytest.mark.full
def test_what_a_folder_leaves_aside_is_said_once_by_a_run_and_by_a_sweep(call, tmp_path):
    own = tmp_path / "own"
    for i in range(24):
        (own / f"class{i % 2}").mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(i).integers(0, 256, (8, 8, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(own / f"class{i % 2}" / f"{i}.{('png', 'webp')[i % 3 > 0]}")
    (own / "class0" / "labels.txt").write_text("")
    says = "image_folder: 24 images are read; ignored: .txt files (1)\n"
    for arguments in (["study=one"], ["study=many", "-m", "padding=same,valid", "seed=0"]):
        outcome = call("data=image_folder", f"data.path={own}", *arguments)
        assert (outcome.code, outcome.err) == (0, "")
        assert outcome.out.count(says) == 1


@pytest.fixture
def file(tmp_path):
    """`file(name, …)` writes an npz file of pictures of 8×8, changed as given; its overrides."""

    def write(name="own", **changes):
        rng = np.random.default_rng(0)
        made = {"x_train": rng.random((40, 8, 8, 1)), "x_test": rng.random((8, 8, 8, 1))}
        made |= {"y_train": np.arange(40) % 2, "y_test": np.arange(8) % 2}
        np.savez(tmp_path / f"{name}.npz", **made | changes)
        return "data=npz", f"data.path={tmp_path / name}.npz"

    return write


def one_line(outcome, says):
    """The program ended with a mistake in the input, told in one line, and left no run."""
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert says in outcome.err
    assert not list(Path.cwd().glob("runs/*/*/seed=*"))


@pytest.mark.parametrize("multirun", [(), ("-m", "padding=same,valid")])
def test_values_that_float32_does_not_hold_end_before_training(call, file, multirun):
    x = np.random.default_rng(0).random((40, 8, 8, 1))
    x[0, 0, 0, 0] = 1e39
    one_line(call(*file(x_train=x), "data.normalize=none", *multirun), "holds 1e+39, which after")
    one_line(call(*file(x_train=1e200 * x), *multirun), "too large for the statistics of")


@pytest.mark.full
@pytest.mark.parametrize("memory", [full("auto"), "1e-6"])
def test_values_that_float16_does_not_hold_end_before_training(call, file, memory):
    """Pictures of 16 bits, as they are."""
    x = np.random.default_rng(0).integers(0, 65536, (40, 8, 8)).astype(np.uint16)
    x[0, 0, 0] = 65535
    own = file(x_train=x, x_test=x[:8])
    half = "trainer.precision=mixed_float16", f"data.memory={memory}"
    says = "data.normalize=none, but trainer.precision=mixed_float16 holds at most 65504"
    one_line(call(*own, *half, "data.normalize=none", "data.validation=0"), says)
    assert call(*own, *half).code == 0


@pytest.mark.full
def test_other_data_that_is_beyond_a_runs_own_units_is_not_measured(call, program, file):
    """A network that was trained on values of 1e-30 is asked about values of 1e10."""
    rng = np.random.default_rng(0)
    tiny = 1e-30 * rng.random((40, 8, 8, 1))
    assert call(*file("tiny", x_train=tiny, x_test=tiny[:8])).code == 0
    large = 1e10 * rng.random((40, 8, 8, 1))
    for memory in ("auto", "1e-6"):
        other = file("large", x_train=large, x_test=large[:8])
        outcome = program(f"evaluate={only_run()}", *other, f"data.memory={memory}")
        assert outcome.code == 2
        assert "the test split of npz holds values that are too large for float32" in outcome.err
        assert not (only_run() / "evaluations").exists()


@pytest.mark.full
@pytest.mark.parametrize(
    ("sizes", "says"),
    [
        ((3, 8, 8), "The channels seem to come first: data.layout=channels_first. Received: input"),
        ((3, 40), "If these are sequences (n, channels, time): data.layout=channels_first. The s"),
        ((40, 3), "If these are sequences (n, time, channels): data.kind=sequence. The smallest"),
    ],
)
def test_a_network_that_collapses_does_not_advise_a_resize_alone(program, file, sizes, says):
    x = np.random.default_rng(0).random((40, *sizes))
    outcome = program(*file(x_train=x, x_test=x[:8]), "padding=valid", "trainer.progress=false")
    one_line(outcome, says)
    assert ("data.resize" in outcome.err) == (sizes != (3, 8, 8))


@pytest.mark.full
def test_channels_first_train_as_channels_last_do(call, file):
    x = np.random.default_rng(0).random((40, 3, 8, 8))
    first = call(*file("first", x_train=x, x_test=x[:8]), "data.layout=channels_first", "study=a")
    assert (first.code, first.err) == (0, "")
    last = np.moveaxis(x, 1, -1)
    assert call(*file("last", x_train=last, x_test=last[:8]), "study=b").code == 0
    one, two = (next(Path("runs", study).glob("*/seed=0")) for study in ("a", "b"))
    assert numbers(one) == numbers(two)
    assert one.parent.name != two.parent.name
