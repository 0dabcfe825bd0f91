import keras
import pytest

import models
from models import ModelError
from models.geometry.tracing.trace import final_map_size, trace
from models.padding import Padding


def net(size=28, **kwargs):
    return models.build("small_cnn", input_shape=(size, size, 3), num_classes=10, **kwargs)


@pytest.mark.parametrize(("size", "last"), [(28, 2), (32, 3)])
def test_survives_valid(size, last):
    assert final_map_size(trace(net(size, padding="valid"))) == (last, last)
    net(size, padding="valid", downsample="stride")


def test_same_halves_twice():
    for downsample in ("max_pool", "average_pool", "stride"):
        rows = trace(net(downsample=downsample))
        assert final_map_size(rows) == (7, 7)
        last = [row for row in rows if row.output_size][-1]
        assert last.effective_stride == (4, 4)


def test_parameters_do_not_depend_on_the_map():
    counts = {net(s, padding=p).count_params() for s in (28, 33) for p in ("valid", "same", "full")}
    assert counts == {36_282}


def test_pools_follow_only_when_asked():
    neutral = net(padding="reflect").get_layer("stage1_pool")
    assert (neutral.border, neutral.count_include_pad) == (Padding("valid"), False)
    follow = net(padding="reflect", pools="follow").get_layer("stage1_pool")
    assert (follow.border, follow.count_include_pad) == (Padding("same", "reflect"), True)


def test_options_shape_the_network():
    names = [layer.name for layer in net(batch_norm=False, dropout=0.5, head="max").layers]
    assert not any("bn" in name for name in names)
    assert names[-3:] == ["head_pool", "head_dropout", "logits"]
    assert net(batch_norm=False).get_layer("stage1_conv1").use_bias
    assert not net().get_layer("stage1_conv1").use_bias
    assert net(use_bias=True).get_layer("stage1_conv1").use_bias
    assert isinstance(net(head="max").get_layer("head_pool"), keras.layers.GlobalMaxPooling2D)
    assert net(widths=[4], convs_per_stage=[1], kernel_size=5).count_params() == 75 * 4 + 16 + 50


@pytest.mark.parametrize(
    "options",
    [{"widths": (3,)}, {"downsample": "pool"}, {"head": "mean"}, {"convs_per_stage": (0, 1, 1)}],
)
def test_mistakes(options):
    with pytest.raises(ModelError, match=rf"`{next(iter(options))}`.*Received: "):
        net(**options)
