import random

import numpy as np
import pytest

from models.layers.engine.extend import CollapseError
from models.padding.checks import SizeError
from models.sizing import neighbouring_sizes, smallest_size


@pytest.mark.parametrize("needed", [1, 2, 3, 4, 7, 8, 9, 29, 100])
def test_smallest_size_is_found(needed):
    def make(size):
        random.random()
        np.random.random()
        if size < needed:
            raise CollapseError("conv", 0, size, needed)

    before = random.getstate(), np.random.get_state()[1].tolist()
    assert smallest_size(make, 100) == needed
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before
    assert needed == 1 or smallest_size(make, needed - 1) is None


def test_other_errors_are_not_swallowed():
    def make(size):
        raise ValueError("other")

    with pytest.raises(ValueError, match="other"):
        smallest_size(make, 8)


def test_sizes_that_a_padding_refuses_are_passed_over():
    def make(size):
        if size < 5:
            raise CollapseError("conv", 0, size, 5)
        if size % 4:
            raise SizeError("a map", 1)

    assert smallest_size(make, 100) == 8
    assert smallest_size(make, 7) is None
    assert neighbouring_sizes(make, 14, 9) == (12, 16)
    assert neighbouring_sizes(make, 6, 9) == (None, 8)
    assert neighbouring_sizes(make, 6, 1) == (None, None)
