"""Which examples the probes look at."""

import numpy as np

from experiments.probes.shared import looking
from models.architectures import unet
from models.bind import bind
from tests.experiments.probes.looked_at import noise, state, subject, tiny_cnn, unchanged


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


def test_an_activation_that_is_part_of_a_layer_is_left_out_if_asked():
    model = unet.build(bind("random"), (8, 8, 1), 2, depth=1, width=3)
    x, names, before = (
        noise(5, 8, 8, 1, mean=0.0),
        ["down1_conv2", "up1_conv", "output"],
        state(model),
    )
    (after,) = looking.activations(model, names, x)
    (inside,) = looking.activations(model, names, x, linear=True)
    assert after[0].min() == 0 > inside[0].min()
    assert np.allclose(after[0], np.maximum(inside[0], 0), atol=1e-6)
    assert np.array_equal(after[1], inside[1]) and np.array_equal(after[2], inside[2])
    assert unchanged(before, state(model))
