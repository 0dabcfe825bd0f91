"""Which examples the probes look at."""

import numpy as np

from experiments.probes.shared import looking
from tests.experiments.probes.looked_at import noise, subject, tiny_cnn


def test_a_sample_follows_from_its_seed_and_keeps_labels_with_their_examples():
    x = noise(50, 16, 16, 1)
    x[:, 0, 0, 0] = np.arange(50)
    split = subject(tiny_cnn("same"), x, np.arange(50, dtype=np.int32)).loaded.test
    drawn, labels = looking.sample(split, 20, seed=3)
    assert len(drawn) == 20 and np.array_equal(drawn[:, 0, 0, 0], labels)
    assert (np.diff(labels) > 0).all()
    assert np.array_equal(looking.sample(split, 20, seed=3)[1], labels)
    assert not np.array_equal(looking.sample(split, 20, seed=4)[1], labels)
    assert np.array_equal(looking.sample(split, 99, seed=3)[1], np.arange(50))
