import itertools

import keras
import numpy as np

from models.geometry import arithmetic


def test_output_size_is_keras():
    for size, k, s, pad in itertools.product(range(1, 10), range(1, 6), (1, 2, 3), (0, 1, 4)):
        conv = keras.layers.Conv1D(1, k, s)
        ours = arithmetic.output_size(size, k, s, 1, pad, 0)
        if size + pad >= k:
            assert ours == conv.compute_output_shape((None, size + pad, 1))[1]
        else:
            assert ours == 0


def test_dilated_output_size():
    """Dumoulin & Visin, figure 5.1: i = 7, k = 3, d = 2 gives 3."""
    assert arithmetic.output_size(7, 3, 1, 2, 0, 0) == 3
    assert arithmetic.window_size(3, 2) == 5


def test_recurrences_against_pixels():
    """Follow the first two outputs of drawn stacks back to the pixels they see."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        layers = [tuple(rng.integers(1, 4, 3)) + (rng.integers(0, 4),) for _ in range(4)]
        r, jump, padding = 1, 1, 0
        for k, s, d, before in layers:
            r, padding = (
                arithmetic.receptive_field(r, jump, k, d),
                arithmetic.effective_padding(padding, jump, before),
            )
            jump = arithmetic.effective_stride(jump, s)
        seen = []
        for output in (0, 1):
            pixels = {output}
            for k, s, d, before in reversed(layers):
                pixels = {p * s + d * i - before for p in pixels for i in range(k)}
            seen.append((min(pixels), max(pixels)))
        assert seen[0] == (arithmetic.first_pixel(padding), arithmetic.last_pixel(padding, r))
        assert sum(seen[0]) / 2 == arithmetic.centre(padding, r)
        assert seen[1][0] - seen[0][0] == jump
