"""Outputs and gradients of every layer under every padding, against the oracle."""

import itertools

import keras
import numpy as np
import pytest

from models.padding.supports import LAYER_RANK, supports
from tests.models.layers import covering, oracle, reference
from tests.models.layers.oracle import AMOUNTS, MODES, PLANE_MODES

ON_JAX = keras.backend.backend() == "jax"
EVERY = 11 if ON_JAX else 1  # JAX compiles each case
CASES = covering.covering()[::EVERY]
QUICK = 1 if ON_JAX else 6  # one of so many is left to `make test`, of each layer and mode


def groups():
    """The cases of a layer and a mode, those of `make test` and then the rest."""
    found = {}
    for case in CASES:
        mode = "per axis" if isinstance(case.mode, tuple) else case.mode
        found.setdefault(f"{case.layer}-{mode}", []).append(case)
    for name, cases in found.items():
        yield pytest.param(cases[::QUICK], id=name)
        if rest := [case for i, case in enumerate(cases) if i % QUICK]:
            yield pytest.param(rest, id=f"{name}-rest", marks=pytest.mark.full)


@pytest.fixture(autouse=True, scope="module")
def _compiles_fast():
    """Each case is compiled to be run once."""
    if not ON_JAX:
        yield
        return
    import jax

    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.mark.parametrize("cases", groups())
def test_values_and_gradients(cases):
    wrong = []
    for case in cases:
        try:
            check(case)
        except Exception as error:  # all wrong cases at once say more than the first
            wrong.append(f"{case}: {type(error).__name__} {str(error)[:600]}")
    assert not wrong, f"{len(wrong)} wrong, such as\n" + "\n".join(wrong[:3])


def check(case, groups=1, **given):
    problem = reference.problem(case, groups, **given)
    layer = reference.build(problem)

    def cotangent(shape):
        return reference.numbers(np.random.default_rng(1), *shape)

    expected, gradients = reference.expected(problem, cotangent)
    y, found = oracle.value_and_gradients(layer, problem.x, cotangent(expected.shape))
    shape = layer.compute_output_shape((None, *problem.x.shape[1:]))
    assert tuple(shape) == (None, *y.shape[1:])
    names = ["y", "x", *(w.name for w in layer.weights)]
    for name, a, b in zip(names, [y, *found], [expected, *gradients], strict=True):
        assert a.shape == b.shape, name
        np.testing.assert_allclose(a, b, rtol=0, atol=2e-5 * max(1, np.abs(b).max()), err_msg=name)


def keras_takes(layer, strides, dilation):
    """Ask Keras itself whether a window exists."""
    try:
        args = {} if "Pooling" in layer else {"dilation_rate": dilation}
        filters = (1,) if layer.startswith(("Conv", "Separable")) else ()
        built = getattr(keras.layers, layer)(*filters, 2, strides=strides, **args)
        built(keras.KerasTensor((1, *(8,) * LAYER_RANK[layer], 1)))  # whatever a CPU can compute
    except (ValueError, TypeError):
        return False
    return "Pooling" not in layer or dilation == 1


@pytest.mark.full
@pytest.mark.skipif(ON_JAX, reason="the whole set is TensorFlow's, and its windows too")
def test_every_pair_is_met():
    """Enumerates the pairs anew, by what `supports` and Keras take."""
    met = set().union(*map(covering.pairs, CASES))
    steps = list(itertools.product((1, 2, 3), (1, 2)))
    missing, count = [], 0
    for layer in covering.LAYERS:
        rank = LAYER_RANK[layer]
        windows = [window for window in steps if keras_takes(layer, *window)]
        every = ["odd", "even", "odd x even", "even x odd"][: 2 * rank]
        wide = [size for size in every if size.endswith("even")]
        amounts = (*AMOUNTS, *covering.OTHER_AMOUNTS[rank])
        modes = [*MODES, *covering.PAIRED_MODES * (rank == 2)]
        for a, m in itertools.product(amounts, modes):
            if supports(a, m, layer) is not None:
                continue
            sizes = wide if m in PLANE_MODES else every
            narrow = "Average" in layer and m == "partial" and covering.widest(a) > 0
            for (s, d), size in itertools.product(windows, sizes):
                for k in (7,) if narrow else range(1, 8):
                    count += 1
                    new = covering.pairs((layer, a, m, k, s, d, size))
                    missing += [pair for pair in new if pair not in met]
    assert count > 50_000
    assert missing == []
    others = {layer for layer in LAYER_RANK if layer.startswith(("PadInput", "WeightNorm"))}
    assert {*covering.LAYERS} == {*LAYER_RANK} - others


def test_there_are_many():
    assert len(CASES) > 2000 // EVERY
    assert len(covering.PAIRED_MODES) == 42
