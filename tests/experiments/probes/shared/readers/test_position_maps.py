"""Maps of position, and how near one comes."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from experiments.probes.shared.readers import position_maps as maps


def test_maps_rise_where_they_say_and_span_0_to_1():
    horizontal, vertical, bell = (maps.target(name, (5, 9)) for name in "HVG")
    assert np.allclose(horizontal, np.linspace(0, 1, 9)) and np.allclose(
        vertical[:, 0], [0, 0.25, 0.5, 0.75, 1]
    )
    assert bell[2, 4] == 1 and bell[0, 0] == bell[-1, -1] == 0
    assert np.allclose(maps.target("H", (3,)), [0, 0.5, 1])
    assert maps.target("G", (1, 1)) == 0


def test_resizing_keeps_corners_and_lines():
    ramp = np.linspace(-1, 3, 7)[None, :, None] * np.ones((2, 1, 1))
    wide = maps.along_space(ramp, lambda n: maps.corner_weights(n, 28))
    assert wide.shape == (2, 28, 1) and np.allclose(wide[0, :, 0], np.linspace(-1, 3, 28))
    assert np.allclose(maps.corner_weights(1, 4), 1) and np.allclose(
        maps.corner_weights(5, 5), np.eye(5)
    )
    image = np.random.default_rng(0).normal(size=(3, 4, 6, 2))
    shrunk = maps.along_space(image, lambda n: maps.corner_weights(n, 3))
    assert shrunk.shape == (3, 3, 3, 2)
    assert np.allclose(shrunk[:, ::2, ::2], image[:, [0, -1]][:, :, [0, -1]])


def test_spearman_is_scipys_with_ties():
    rng = np.random.default_rng(0)
    predicted = np.round(rng.normal(size=(4, 6, 7)), 1)
    truth = maps.target("H", (6, 7))
    expected = [spearmanr(one.ravel(), truth.ravel())[0] for one in predicted]
    assert maps.spearman(predicted, truth) == pytest.approx(expected, rel=1e-12)
    assert maps.spearman(truth[None], truth) == pytest.approx(1)
    assert maps.spearman(np.ones((1, 6, 7)), truth) == 0
