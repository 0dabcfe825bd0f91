import keras
import numpy as np
import pytest

from models.layers import DepthToSpace, PadChannels


@pytest.mark.parametrize("block", [2, 3])
def test_depth_to_space_is_the_paper_s_rearrangement(block):
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 2 * block**2)).astype("float32")
    y = np.asarray(keras.ops.convert_to_numpy(DepthToSpace(block)(x)))
    assert y.shape == DepthToSpace(block).compute_output_shape(x.shape)
    for row, column, c in np.ndindex(y.shape[1:]):
        channel = 2 * (block * (row % block) + column % block) + c
        expected = x[:, row // block, column // block, channel]
        np.testing.assert_array_equal(y[:, row, column, c], expected)


@pytest.mark.parametrize("shape", [(2, 5, 3), (2, 4, 5, 3)])
def test_pad_channels_adds_zeros_and_keeps_the_values(shape):
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    layer = PadChannels(1, 2)
    y = keras.ops.convert_to_numpy(layer(x))
    assert y.shape == layer.compute_output_shape(shape) == (*shape[:-1], 6)
    np.testing.assert_array_equal(y[..., 1:4], x)
    assert not y[..., [0, 4, 5]].any()


@pytest.mark.parametrize("layer", [DepthToSpace(2), PadChannels(1, 3)])
def test_they_are_saved_with_their_arguments(layer, tmp_path):
    inputs = keras.Input((4, 4, 8))
    keras.Model(inputs, layer(inputs)).save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras").layers[-1]
    assert loaded.get_config() == layer.get_config()


def test_bad_arguments_are_named():
    for make in (lambda: DepthToSpace(1), lambda: DepthToSpace(2.0), lambda: PadChannels(-1, 0)):
        with pytest.raises(ValueError, match="Received"):
            make()
    with pytest.raises(ValueError, match="multiple of 4 channels"):
        DepthToSpace(2)(keras.Input((4, 4, 6)))
    with pytest.raises(ValueError, match="channels last"):
        DepthToSpace(2, data_format="channels_first")
