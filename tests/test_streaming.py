"""A run on a set that streams: the same numbers, and said so."""

from pathlib import Path

import keras
import numpy as np
import pytest

from tests.helpers import slow
from tests.test_train import numbers

AUGMENTED = ("data.augment.crop=2", "data.augment.flip=true")


@pytest.mark.full
@pytest.mark.parametrize("changes", [slow(()), AUGMENTED])
def test_a_streamed_run_is_the_run_in_memory_to_the_last_bit(tiny, changes):
    held = tiny(*changes, "study=held")
    streamed = tiny(*changes, "study=streamed", "data.memory=1e-6")
    assert (held.code, streamed.code, streamed.err) == (0, 0, "")
    assert "streams from disk" not in held.out
    says = "placed_digits streams from disk: 50.8 MiB as float32, data.memory=1e-06\n"
    assert says in streamed.out
    one, two = (next(Path("runs", study).glob("*/seed=0")) for study in ("held", "streamed"))
    assert one.parent.name == two.parent.name
    assert numbers(one) == numbers(two)
    weights = [keras.saving.load_model(run / "model.keras").get_weights() for run in (one, two)]
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_finished_run_is_measured_on_a_set_that_streams(finished, program, tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (200, 32, 32, 1)).astype(np.uint8), np.arange(200) % 10
    np.savez(tmp_path / "own.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    found = []
    for memory in ("auto", "1e-6"):
        where = ("data=npz", f"data.path={tmp_path / 'own.npz'}", f"data.memory={memory}")
        outcome = program(f"evaluate={finished}", *where)
        assert outcome.code == 0
        (file,) = (finished / "evaluations").iterdir()
        found.append(file.read_text())
        file.unlink()
    assert found[0] == found[1]
