"""Any case that the layers take, drawn anew on every run; `make test-random`."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.padding.supports import LAYER_RANK, supports
from tests.models.layers import covering, test_covering
from tests.models.layers.oracle import AMOUNTS, AXIS_MODES, MODES


@st.composite
def cases(draw):
    """Draw a layer, then what it takes, also pairs of pixels that no list has."""
    layer = draw(st.sampled_from(covering.LAYERS))
    rank = LAYER_RANK[layer]
    pixels = st.integers(0, 9)
    axis = st.sampled_from(AMOUNTS) | pixels | st.tuples(pixels, pixels)
    amounts = st.sampled_from(AMOUNTS) | pixels | st.tuples(*[axis] * rank)
    modes = st.sampled_from(MODES)
    if rank == 2:
        modes |= st.sampled_from(list(itertools.permutations(AXIS_MODES, 2)))
    amount, mode = draw(
        st.tuples(amounts, modes).filter(
            lambda p: supports(*p, layer) is None and covering.settings(layer, *p)
        )
    )
    setting = draw(st.sampled_from(covering.settings(layer, amount, mode)))
    groups = draw(st.sampled_from((1, 1, 1, 2, 4))) if layer in ("Conv1D", "Conv2D") else 1
    return covering.Case(layer, amount, mode, *setting), groups


@pytest.mark.random
@settings(max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_any_case(drawn):
    case, groups = drawn
    test_covering.check(case, groups)
