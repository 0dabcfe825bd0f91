import importlib.util

import keras
import pytest

from experiments.benchmarks.loop import __main__ as loop
from experiments.benchmarks.loop import operations
from experiments.benchmarks.loop.operations import NONE, OTHER, STEP


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("_MklNativeConv2D", "convolutions"),
        ("_MklNativeFusedConv2D", "convolutions"),
        ("aten::mkldnn_convolution", "convolutions"),
        ("_MklNativeConv2DBackpropFilter", "gradients of convolutions"),
        ("aten::convolution_backward", "gradients of convolutions"),
        ("autograd::engine::evaluate_function: ConvolutionBackward0", "gradients of convolutions"),
        ("_MklNativeFusedBatchNormGradV3", "normalisation"),
        ("aten::native_batch_norm_backward", "normalisation"),
        ("_MklNativeMaxPoolGrad", "pooling"),
        ("aten::mm", "dense layer"),
        ("aten::_fused_adamw_", "optimizer"),
        ("adam AssignSubVariableOp", "optimizer"),
        ("aten::threshold_backward", "activation and bias"),
        ("SpaceToBatchND", "border, copies"),
        ("aten::constant_pad_nd", "border, copies"),
        ("ArgMax", OTHER),
        ("aten::comma", OTHER),
    ],
)
def test_operations_of_either_side_have_a_kind(operation, kind):
    assert operations.kind_of(operation) == kind


def test_the_kinds_add_up_to_the_step():
    first = {STEP: 10.0, "_MklNativeConv2D": 4.0, "_MklNativeFusedConv2D": 2.0, "ArgMax": 0.5}
    second = {STEP: 12.0, "_MklNativeConv2D": 5.0, "ArgMax": 0.7}
    third = {STEP: 11.0, "_MklNativeConv2D": 3.0, "ArgMax": 0.6}
    times = operations.middle([first, second, third])
    assert times == {
        STEP: 11.0,
        "_MklNativeConv2D": 4.0,
        "_MklNativeFusedConv2D": 0.0,
        "ArgMax": 0.6,
    }
    kinds = operations.by_kind(times)
    assert kinds == {"convolutions": 4.0, OTHER: 0.6, NONE: pytest.approx(6.4), STEP: 11.0}
    assert operations.longest(times, "convolutions") == "_MklNativeConv2D 4.00"


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="is about TensorFlow")
def test_the_operations_of_a_training_step_are_recorded():
    on = loop.On("tensorflow", ["float32"])
    loops, steps = loop.prepare("small_cnn", 8, 3, None, on)
    times = operations.of_tensorflow(loops[loop.OURS], steps)
    kinds = operations.by_kind(times)
    assert sum(kinds.values()) == pytest.approx(2 * kinds[STEP])
    assert kinds[STEP] > kinds["convolutions"] > 0 < kinds["gradients of convolutions"]
    assert not any("Process" in name for name in times)


def test_without_pytorch_it_says_how_to_install_it(capsys, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name != "torch" and find(name))
    assert operations.main([]) == 2
    assert "make install-bench" in capsys.readouterr().err
