import keras
import numpy as np
import pytest

from models.bind import bind
from models.layers import CollapseError
from models.padding import NAMED, Padding, PaddingError
from models.padding.supports import supports
from tests.helpers import thinned


def test_layers_get_the_bound_padding():
    nn = bind("reflect")
    conv = nn.Conv2D(4, 3, 2, name="conv", activation="relu")
    assert (conv.border, conv.strides, conv.name) == (NAMED["reflect"], (2, 2), "conv")
    assert nn.Conv1D(4, 3, name="c").border == nn.WeightNormConv1D(4, 3, name="w").border
    assert nn.names == ["conv", "c", "w"]


def test_the_first_pattern_that_matches_wins():
    nn = bind(
        Padding("same", "constant", 2.0),
        {"stem*": "valid", "*_1": {"amount": "full"}, "*": {"mode": "circular"}},
    )
    assert nn.Conv2D(1, 3, name="stem_1").border == Padding("valid")
    assert nn.Conv2D(1, 3, name="a_1").border == Padding("full", "constant", 2.0)
    assert nn.Conv2D(1, 3, name="a_2").border == Padding("same", "circular")
    assert nn.unmatched() == []


def test_a_published_amount_is_filled_in_the_bound_mode():
    nn = bind("reflect", {"b": "valid"})
    assert nn.Conv2D(1, 11, 4, amount=1, name="a").border == Padding(1, "reflect")
    assert nn.Conv2D(1, 3, amount=100, name="b").border == Padding("valid")
    assert (
        bind("reflect", amounts="bound").Conv2D(1, 11, amount=1, name="a").border
        == (NAMED["reflect"])
    )
    with pytest.raises(PaddingError, match="amount"):
        nn.Conv2D(1, 3, amount="some", name="c")


def test_patterns_that_match_nothing_are_known():
    nn = bind("same", {"a*": "valid", "pool": "valid"})
    nn.Conv2D(1, 3, name="conv")
    nn.MaxPooling2D(2, name="pool")  # neutral: no padding is bound to it
    assert nn.unmatched() == ["a*", "pool"]
    follow = bind("same", {"pool": "full"}, pools="follow")
    assert follow.MaxPooling2D(2, name="pool").border == NAMED["full"]
    assert follow.unmatched() == []


@pytest.mark.parametrize(
    "kind", ["MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D"]
)
def test_pools_are_neutral_or_follow(kind):
    neutral = getattr(bind("circular"), kind)(3, 2, padding="same", name="pool")
    assert (neutral.padding, neutral.count_include_pad) == ("same", False)
    follow = getattr(bind("circular", pools="follow"), kind)(3, 2, padding="same", name="pool")
    assert (follow.border, follow.count_include_pad) == (NAMED["circular"], True)


def test_builders_name_layers_and_give_no_padding():
    nn = bind("same")
    with pytest.raises(TypeError, match="name"):
        nn.Conv2D(1, 3)
    for bad in [
        lambda: nn.Conv2D(1, 3, name="c", padding="valid"),
        lambda: nn.Conv2D(1, 3, 1, "valid", name="c"),
    ]:
        with pytest.raises(PaddingError, match="'c' is bound"):
            bad()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("reflekt",), "did you mean reflect"),
        (("same", {"a": "reflekt"}), "did you mean reflect"),
        (("same", {"a": {"mod": "reflect"}}), "did you mean mode"),
        (("same", None, "folow"), "`pools` must be 'neutral' or 'follow'"),
    ],
)
def test_mistakes_are_raised_by_bind(args, message):
    with pytest.raises(PaddingError, match=message):
        bind(*args)


@pytest.mark.parametrize(
    "to", [(0, 0), (-1, 5), (16,), (16, 16, 16), 16, ("a", 1), (True, 8), (8.0, 8), "ab"]
)
def test_a_transposed_convolution_is_told_a_size_for_each_axis(to):
    with pytest.raises(
        PaddingError, match="`to` of layer 'up' must be one size per axis, 2 in all.*Received: to="
    ):
        bind("same").Conv2DTranspose(1, 4, 2, to=to, name="up")
    assert bind("same").Conv2DTranspose(1, 4, 2, to=[None, 8], name="up").name == "up"


def test_weights_move_to_and_from_plain_keras():
    def net(layer, pool):
        inputs = keras.Input((8, 8, 3))
        x = pool(2, name="pool")(layer(4, 3, name="a")(inputs))
        return keras.Model(inputs, layer(2, 2, name="b")(x))

    nn = bind("valid")
    ours = net(nn.Conv2D, nn.AveragePooling2D)
    theirs = net(keras.layers.Conv2D, keras.layers.AveragePooling2D)
    assert [(w.name, w.shape) for w in ours.weights] == [(w.name, w.shape) for w in theirs.weights]
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
    ours.set_weights(theirs.get_weights())
    assert np.array_equal(ours(x), theirs(x))
    ours.set_weights([w + 0.1 for w in ours.get_weights()])
    theirs.set_weights(ours.get_weights())
    assert np.array_equal(ours(x), theirs(x))


def test_weight_files_move_to_plain_keras(tmp_path):
    nn = bind("circular")
    inputs = keras.Input((8, 3))
    ours = keras.Model(inputs, nn.Conv1D(4, 3, name="a")(inputs))
    theirs = keras.Model(inputs, keras.layers.Conv1D(4, 3, padding="same", name="a")(inputs))
    ours.save_weights(tmp_path / "w.weights.h5")
    theirs.load_weights(tmp_path / "w.weights.h5")
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert np.array_equal(mine, other)


def test_what_was_not_made_here_is_found_wherever_it_is():
    nn, inputs = bind("same"), keras.Input((8, 8, 1))
    x = nn.Conv2D(2, 3, name="mine")(inputs)
    x = nn.WeightNormConv1D(2, 3, name="normed")(keras.layers.Reshape((64, 2))(x))
    x = keras.layers.GlobalAveragePooling1D()(nn.MaxPooling1D(2, name="pool")(x))
    assert nn.unbound(keras.Model(inputs, x)) == []
    block = keras.Sequential([keras.layers.Conv2D(1, 1, name="theirs")])
    y = keras.layers.AveragePooling2D(2, name="pooled")(block(inputs))
    found = nn.unbound(keras.Model(inputs, [x, y]))
    assert sorted(found) == ["AveragePooling2D 'pooled'", "Conv2D 'theirs'"]


def test_a_layer_that_there_is_not_is_told_with_those_there_are():
    with pytest.raises(AttributeError, match=r"nn has no Conv3D\. Its layers: .*Conv2D, .*keras"):
        bind("same").Conv3D  # noqa: B018


AMOUNTS = dict.fromkeys(
    amount
    for amount in (*(padding.amount for padding in NAMED.values()), ((2, 1),))
    if supports(amount, "zeros", "Conv1DTranspose") is None
)
STEPS = [(3, 2, 1), (4, 2, 1), (5, 3, 1), (2, 3, 1), (3, 1, 2)]


@pytest.mark.parametrize("amount", AMOUNTS, ids=str)
@pytest.mark.parametrize(("k", "s", "d"), thinned(STEPS, 3))
def test_a_transposed_convolution_gives_back_what_its_convolution_read(amount, k, s, d):
    """<conv(x), y> = <x, transposed(y)> for every size: it is the adjoint, pixel by pixel."""
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(k, 1, 1)).astype("float32")
    for size in range(1, 10):
        nn = bind(Padding(amount))
        x = keras.Input((size, 1))
        try:
            y = nn.Conv1D(1, k, s, dilation_rate=d, use_bias=False, name="conv")(x)
        except CollapseError:
            continue
        up = nn.Conv1DTranspose(
            1, k, s, dilation_rate=d, use_bias=False, to=x.shape[1:-1], name="up"
        )
        back = up(y)
        assert back.shape == x.shape
        model = keras.Model(x, [y, back])
        model.set_weights([kernel, kernel])
        there, other = rng.normal(size=(1, size, 1)), rng.normal(size=(1, *y.shape[1:]))
        forth = np.asarray(model.get_layer("conv")(there.astype("float32")))
        again = np.asarray(model.get_layer("up")(other.astype("float32")))
        assert np.sum(forth * other) == pytest.approx(np.sum(there * again), abs=1e-4), size


def test_sizes_that_a_transposed_convolution_cannot_reach_are_left_to_align():
    nn = bind("same")
    x = keras.Input((8, 9, 2))
    reached = nn.Conv2DTranspose(3, 4, 2, to=(15, 18), name="a")(x)
    assert reached.shape == (None, 15, 18, 3)
    assert nn.Conv2DTranspose(3, 4, 2, to=(15, 20), name="b")(x).shape == (None, 16, 18, 3)
    assert nn.Conv2DTranspose(3, 4, 2, to=(None, 18), name="c")(x).shape == (None, 16, 18, 3)
    assert nn.Conv2DTranspose(3, 4, 2, amount=0, to=(18, 20), name="d")(x).shape[1:3] == (18, 20)
    assert nn.names == ["a", "b", "c", "d"]


def test_an_override_and_a_refusal_reach_a_transposed_convolution_that_is_told_its_size():
    nn = bind("same", {"up": "full"})
    up = nn.Conv2DTranspose(1, 3, 2, to=(14, 13), name="up")(keras.Input((8, 8, 1)))
    assert up.shape == (None, 14, 13, 1)  # under `full` 8 outputs are of 13 or 14 pixels
    with pytest.raises(PaddingError, match="'even_split' moves .* Conv2DTranspose"):
        bind("even_split").Conv2DTranspose(1, 4, 2, to=(8, 8), name="up")
    with pytest.raises(PaddingError, match="'up' is bound"):
        nn.Conv2DTranspose(1, 4, 2, padding="same", to=(8, 8), name="up")
    with pytest.raises(TypeError, match="needs a name"):
        nn.Conv2DTranspose(1, 4, 2, to=(8, 8))


def test_restoring_a_size_draws_no_more_than_any_other_layer():
    kernels = []
    for sizes in ((7, 7), (8, 8), (30, 30), (None, None)):
        keras.utils.set_random_seed(0)
        nn, x = bind("same"), keras.Input((4, 4, 1))
        up = nn.Conv2DTranspose(2, 3, 2, to=sizes, name="up")(x)
        model = keras.Model(x, nn.Conv2D(2, 3, name="conv")(up))
        kernels.append(model.get_weights())
    for other in kernels[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(kernels[0], other, strict=True))
