"""Every formulation computes what the engine computes, forwards and backwards."""

import keras
import numpy as np
import pytest

from experiments.benchmarks import formulations, steps
from experiments.benchmarks.padding_cases import Variant
from models.padding import Padding

OFFERED = formulations.offered(keras.backend.backend())
GRID = [(mode, name) for mode, ways in OFFERED.items() for name in ways]


def results(mode, sizes=(7, 6)):
    """Outputs and gradients of a layer whose numbers depend on nothing else."""
    keras.utils.set_random_seed(0)
    layer = steps.layer_of("Conv2D", Variant("", Padding("half", mode)), 3, {"kernel_size": 3})
    x = keras.ops.convert_to_tensor(steps.noise((4, *sizes, 3)) + 0.5)
    layer.build(x.shape)
    random = np.random.default_rng(1)
    for weight in layer.trainable_variables:
        weight.assign(random.standard_normal(weight.shape))
    upstream = keras.ops.convert_to_tensor(random.standard_normal(x.shape).astype("float32"))
    found = [layer(x), *steps.gradients(layer)(x, upstream)]
    return [keras.ops.convert_to_numpy(array) for array in found]


@pytest.mark.parametrize("sizes", [(7, 6), (6, 6)])
@pytest.mark.parametrize(("mode", "name"), GRID)
def test_outputs_and_gradients_are_the_engines(mode, name, sizes):
    expected = results(mode, sizes)
    with formulations.used(OFFERED[mode][name]):
        found = results(mode, sizes)
    assert len(found) == len(expected) >= 4  # outputs, kernel, bias, input
    for ours, engines in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, engines, atol=1e-4)


def test_a_formulation_is_used_inside_the_block_only():
    calls = []
    way = OFFERED["reflect"]["slices and concatenate"]
    with formulations.used(lambda *arguments: calls.append(1) or way(*arguments)):
        results("reflect")
    inside = len(calls)
    results("reflect")
    assert inside > 0 and len(calls) == inside
