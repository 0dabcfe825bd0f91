import random

import numpy as np
import pytest

from models.layers.engine.extend import CollapseError
from models.sizing import smallest_size


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
