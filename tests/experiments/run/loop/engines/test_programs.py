"""The chunks of steps on JAX: as long as an interrupt may wait, and not seen in the numbers."""

import dataclasses

import keras
import numpy as np
import pytest

from conf.schema import SCAN
from data import AugmentConfig
from data.epochs.pipeline import Epoch
from experiments.run.loop.engines import chunks
from tests.experiments.run.loop.engines.test_scan import TRAINER, network, trained
from tests.helpers import full

pytestmark = pytest.mark.skipif(keras.backend.backend() != "jax", reason="is about JAX")


@pytest.mark.parametrize(
    ("seconds", "nbytes", "expected"),
    [(0.001, 0, 50), (0.02, 0, 8), (0.2, 0, 1), (3.0, 0, 1), (0, 2**26, 4), (0, 2**32, 1)],
)
def test_chunks_are_as_long_as_an_interrupt_may_wait_and_batches_fit(seconds, nbytes, expected):
    assert chunks.longest(seconds, nbytes) == expected


@pytest.mark.parametrize(
    ("examples", "most", "expected"),
    [
        (120 * 8 + 5, 50, [(0, 40), (40, 40), (80, 40), (120, 1)]),
        (51 * 8, 50, [(0, 50), (50, 1)]),
        (5 * 8, 2, [(0, 2), (2, 2), (4, 1)]),
        (2 * 8 + 1, 1, [(0, 1), (1, 1), (2, 1)]),
        (8, 50, [(0, 1)]),
        (5, 50, [(0, 1)]),
    ],
)
def test_chunks_cover_an_epoch(examples, most, expected):
    from experiments.run.loop.engines import programs

    epoch = Epoch(None, np.arange(examples), 8, AugmentConfig(), None)
    assert programs.chunks(epoch, most) == expected


@pytest.mark.parametrize(
    ("name", "options", "augment"),
    [
        ("small_cnn", {"dropout": 0.5}, {"flip": True, "crop": 1}),
        full("small_cnn", {}, {}),
        full("causal_conv1d", {"dropout": 0.5}, {}),
        full("resnet", {}, {}),
        full("unet", {}, {"flip": True}),
    ],
)
def test_the_numbers_do_not_depend_on_the_length_of_the_chunks(
    tmp_path, monkeypatch, name, options, augment
):
    """To the bit, since the length is that of a measured time."""
    build, loaded, task = network(name, **options)
    settings = dataclasses.replace(TRAINER, engine=SCAN)
    found = {}
    for most in (1, 3, 4):
        monkeypatch.setattr(chunks, "CHUNK", most)
        (tmp_path / f"{most}").mkdir()
        folder, chosen = tmp_path / f"{most}", AugmentConfig(**augment)
        history, found[most] = trained(
            build, loaded, settings, folder, chosen, keras.optimizers.AdamW, task
        )
        assert len(history) == 2
    for values in found.values():
        for value, other in zip(values, found[4], strict=True):
            np.testing.assert_array_equal(value, other)


def test_data_that_is_sent_is_sent_in_chunks_of_few_bytes(tmp_path, monkeypatch):
    from experiments.run.loop.engines import scan

    monkeypatch.setattr(scan, "_fits", lambda *_: False)
    build, loaded, _ = network("small_cnn")
    batch = 8 * (loaded.train.x[0].nbytes + loaded.train.y[0].nbytes)
    monkeypatch.setattr(chunks, "BYTES", 2 * batch)
    ends = []

    class Bar(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            ends.append(batch + 1)

    settings = dataclasses.replace(TRAINER, engine=SCAN, epochs=1)
    trained(build, loaded, settings, tmp_path, progress=Bar())
    assert ends == [2, 4, 5]
