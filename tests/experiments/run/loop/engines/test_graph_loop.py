"""The chunks of steps on TensorFlow."""

import dataclasses

import keras
import pytest

from conf.schema import SCAN
from data import AugmentConfig
from tests.experiments.run.loop.engines.test_scan import TRAINER, limited, network, trained

pytestmark = pytest.mark.skipif(keras.backend.backend() == "jax", reason="is about TensorFlow")


def test_batches_that_python_makes_are_sent_in_chunks_of_few_bytes(tmp_path, monkeypatch):
    build, loaded, _ = network("small_cnn")
    batch = 8 * (loaded.train.x[0].nbytes + loaded.train.y[0].nbytes)
    limited(monkeypatch, BYTES=2 * batch, SECONDS=1000)
    ends = []

    class Bar(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            ends.append(batch + 1)

    settings = dataclasses.replace(TRAINER, engine=SCAN)
    trained(build, loaded, settings, tmp_path, AugmentConfig(flip=True), progress=Bar())
    assert ends == [1, 2, 4, 5, 1, 3, 4, 5]  # the second chunk was sent before a step was measured
