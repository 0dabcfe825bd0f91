"""The command line of the geometry: what it prints, what it refuses, where it draws."""

import json
import os
import subprocess
import sys
import time

import keras
import matplotlib.image
import numpy as np
import pytest

from conf.commandline import ROOT
from conf.reader import ConfigError
from experiments.geometry import __main__ as geometry
from experiments.geometry import applications, geometry_picture
from models.geometry.tracing.trace import trace
from models.layers import Conv2D
from models.padding import Padding

SMALL = ("model.widths=[4,4]", "model.convs_per_stage=[1,1]")


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """`call("--keras", …)` runs the command in an empty folder: (code, out, err)."""
    monkeypatch.chdir(tmp_path)
    # No data is prepared there, and none is looked for elsewhere.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    # The command keeps off the GPU; the tests after these need not.
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", os.environ.get("CUDA_VISIBLE_DEVICES", "-1"))

    def run(*arguments):
        code = geometry.main([str(a) for a in arguments])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def saved(tmp_path):
    """A network for pictures of any size, in a file."""
    inputs = keras.Input((None, None, 3), name="image")
    x = Conv2D(4, 3, padding=Padding("half"), name="padded")(inputs)
    x = keras.layers.MaxPooling2D(2, name="pool")(x)
    x = keras.layers.GlobalAveragePooling2D(name="mean")(x)
    path = tmp_path / "my.keras"
    keras.Model(inputs, keras.layers.Dense(2, name="logits")(x), name="my").save(path)
    return path


def test_help_is_fast_and_loads_no_framework():
    code = (
        "import sys, experiments.geometry.__main__ as g\ntry: g.main(['--help'])\nfinally: "
        "print([m for m in ('keras', 'tensorflow', 'numpy', 'hydra') if m in sys.modules])"
    )
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT.parent, check=True
    )
    assert time.perf_counter() - begun < 5  # a slow machine; the modules are what counts
    assert done.stdout.endswith("[]\n")
    assert "--keras ResNet50 --input 224" in done.stdout


def test_settings_of_a_run(call, tmp_path):
    code, out, err = call("model=small_cnn", "padding=valid", "data=cifar10", *SMALL)
    assert (code, err) == (0, "")
    assert "small_cnn, padding valid, cifar10, 32×32" in out
    assert max(map(len, out.splitlines())) <= 120
    assert "\x1b[" not in out
    (conv,) = [line for line in out.splitlines() if line.startswith("stage2_conv1")]
    # type, output, kernel, stride, pad, field, jump, off, centre, parameters, MACs
    assert conv.split() == [
        "stage2_conv1", "Conv2D", "13×13", "3", "1", "0", "8", "2", "0", "3.5", "144", "24.3k",
    ]  # fmt: skip
    assert "batch" not in out.lower().split("not shown")[0]
    assert "2 BatchNormalization" in out
    assert "lost           34.0 % of the image" in out
    picture = tmp_path / "runs" / "geometry" / "small_cnn-padding-valid-cifar10-32x32.png"
    assert f"picture        {picture.relative_to(tmp_path)}" in out
    assert matplotlib.image.imread(picture).shape[2] in (3, 4)


def test_all_shows_every_layer(call):
    code, out, _ = call("padding=same", *SMALL, "--all", "--picture", "p.png")
    assert code == 0
    assert [line for line in out.splitlines() if line.startswith("stage1_bn1")]
    assert "not shown" not in out


def test_json_is_all_that_is_printed(call, tmp_path):
    code, out, err = call("padding=same_lower", *SMALL, "--json", "--input", "33x32")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert found["input_size"] == [33, 32]
    assert found["lost_share"] == pytest.approx(1 - 32 / 33)
    conv = next(layer for layer in found["layers"] if layer["name"] == "stage2_conv1")
    assert set(conv) >= {
        "name", "type", "output_size", "kernel_size", "strides", "dilation_rate", "pad",
        "receptive_field", "effective_stride", "effective_padding", "parameters", "macs",
        "centre", "padding_share", "unread", "unread_pad",
    }  # fmt: skip
    assert conv["macs"] == 16 * 16 * 9 * 4 * 4
    assert conv["pad"] == [[1, 1], [1, 1]]
    assert {f["code"] for f in found["findings"]} == {"unread_input", "small_receptive_field"}
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("model", "padding", "data", "sizes"),
    [
        ("causal_conv1d", "causal", "mnist1d", [40]),
        ("causal_conv1d", "same", "co2", [96]),
        ("tcn", "causal", "sequential_mnist", [784]),
        ("small_cnn", "same", "emnist", [28, 28]),
        ("small_cnn", "same", "red_green", [32, 32]),
    ],
)
def test_sizes_are_known_before_data_is_prepared(call, tmp_path, model, padding, data, sizes):
    head = ["model.head=steps"] if data == "co2" else []
    code, out, _ = call(f"model={model}", f"padding={padding}", f"data={data}", *head, "--json")
    assert code == 0
    assert json.loads(out)["input_size"] == sizes
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("padding", ["valid", "reflect", "input"])
def test_a_network_that_gives_an_image_is_shown_though_it_cannot_be_trained(call, padding):
    code, out, err = call(
        "model=unet", f"padding={padding}", "data=mnist", "--input", "45", "--json"
    )
    assert code == 0 and err == ""
    last = json.loads(out)["layers"][-1]
    assert last["output_size"] == ([8, 8] if padding == "valid" else [45, 45])
    assert last["effective_stride"] == [1, 1]


def test_too_small_an_image_for_one_is_told_the_smallest(call, tmp_path):
    line = refused(call, "model=unet", "padding=valid", "data=mnist")
    assert "unet collapses" in line and "The smallest square input is 41x41" in line
    line = refused(call, "model=unet", "padding=spherical", "data=cifar10", "--input", "30")
    assert "input that works is 24x24: data.resize=24, the next larger: data.resize=32" in line
    assert "must be" in refused(call, "model=unet", "data=mnist", "model.depth=deep")
    line = refused(call, "model=unet", "model.depth=0", "data=mnist")
    assert "`depth` must be from 1 to 8" in line
    assert list(tmp_path.iterdir()) == []


def test_a_network_of_keras(call):
    code, out, _ = call("--keras", "MobileNetV3Small", "--input", "65x97", "--json")
    found = json.loads(out)
    assert (code, found["input_size"]) == (0, [65, 97])
    assert found["parameters"] == 2_554_968  # as Keras documents: 2.5 M
    assert found["macs"] > 0


def test_the_registry_is_kerass():
    public = {name for name in dir(keras.applications) if name[0].isupper()}
    assert set(applications.SIZES) == public


def test_a_file(call, saved):
    code, out, err = call("--file", saved, "--input", "8x12")
    assert (code, err) == (0, "")
    assert "8×12" in out
    (row,) = [line for line in out.splitlines() if line.startswith("padded")]
    assert row.split()[1:7] == ["Conv2D", "8×12", "3", "1", "1", "3"]
    code, _, err = call("--file", saved)
    assert (code, err) == (
        2,
        "error: the model takes inputs of any size: choose one with --input 224\n",
    )


@pytest.mark.full
def test_a_run_is_looked_at_by_its_file(tiny, call, monkeypatch):
    """What the summary of a run with findings names is a command that works."""
    outcome = tiny("padding=valid", "trainer.epochs=1", "model.kernel_size=2")
    (line,) = [line for line in outcome.out.splitlines() if line.startswith("geometry")]
    assert line.startswith("geometry       2 findings: python -m experiments.geometry --file runs/")
    code, out, _ = call(*line.split("experiments.geometry ")[1].split(), "--json")
    assert code == 0
    codes = {finding["code"] for finding in json.loads(out)["findings"]}
    assert codes == {"unread_input", "small_receptive_field"}


def refused(call, *arguments):
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["model=vgg16", "model.width=0.05", "padding=valid", "data=cifar10"],
            "smallest square input is 212x212",
        ),
        (["model=vgg61"], "did you mean vgg16"),
        (["padding=same,valid"], "that of one network: give one value per"),
        (["sweep=demo"], "no sweep="),
        (["model.widht=3"], "width"),
        (["data=npz", "data.path=none.npz"], "none.npz"),
        (["data=tfds", "data.name=food101"], "differ in size: give one with --input 224"),
        (["model=tcn", "data=cifar10"], "takes a sequence"),
        (["--keras", "ResNet5"], "did you mean ResNet50"),
        (["--keras", "__builtins__"], "unknown network of keras.applications"),
        (["--keras", "ResNet50", "model=vgg16"], "name one network"),
        (["--keras", "ResNet50", "--input", "7"], "ResNet50 does not take 7x7 pixels"),
        (["--keras", "VGG16", "--input", "1x2x3"], "--input takes pixels"),
        (["--keras", "VGG16", "--input", "big"], "--input takes pixels"),
        (["--file", "nowhere.keras"], "there is no such file"),
        (["--kernel", "3"], "--kernel needs --explain"),
        (["--x", "3,4,1"], "--x needs --explain"),
        (["--explain", "conv", "--x", "3,four"], "--x takes whole numbers with commas"),
        (["--explain", "pool", "--w", "2,2"], "w means nothing for pool"),
        (
            ["--explain", "convolution"],
            "unknown layer to explain 'convolution'",
        ),
        (["--explain", "conv", "--input", "2x2"], "uses one axis"),
        (["--explain", "conv", "--kernel", "three"], "invalid int value: 'three'"),
        (["--explain", "pool", "--dilation", "2"], "dilation means nothing for pool"),
        (["--explain", "conv", "--keras", "VGG16"], "cannot be combined with a network"),
        (["--jsn"], "--help lists what there is"),
    ],
)
def test_mistakes_are_one_line(call, arguments, says):
    assert says in refused(call, *arguments)


def test_files_that_are_no_networks_are_refused(call, tmp_path):
    (tmp_path / "a.h5").write_bytes(b"x")
    assert "takes a .keras file" in refused(call, "--file", tmp_path / "a.h5")
    (tmp_path / "a.keras").write_bytes(b"x")
    assert "takes a .keras file" in refused(call, "--file", tmp_path / "a.keras")


def test_code_in_a_file_is_not_run(call, tmp_path):
    inputs = keras.Input((8, 8, 1))
    outputs = keras.layers.Lambda(lambda x: x * 2)(inputs)
    keras.Model(inputs, outputs).save(tmp_path / "lambda.keras")
    err = refused(call, "--file", tmp_path / "lambda.keras")
    assert "cannot be loaded in safe mode" in err


def test_what_is_not_followed_is_said(call, tmp_path):
    inputs = keras.Input((8, 8, 1))
    outputs = keras.layers.Permute((2, 1, 3), name="turn")(inputs)
    keras.Model(inputs, outputs).save(tmp_path / "turn.keras")
    assert "'turn' of type Permute is not followed" in refused(
        call, "--file", tmp_path / "turn.keras"
    )


def test_what_comes_back_up_is_shown_with_fractions(call, tmp_path):
    x = inputs = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", name="conv")(x)
    x = keras.layers.UpSampling2D(2, interpolation="bilinear", name="up")(x)
    x = keras.layers.Conv2DTranspose(4, 4, 2, padding="same", name="spread")(x)
    keras.Model(inputs, x).save(tmp_path / "finer.keras")
    code, out, _ = call("--file", tmp_path / "finer.keras")
    lines = {line.split()[0]: line.split() for line in out.splitlines() if line.strip()}
    assert code == 0
    assert lines["up"][2:7] == ["32×32", "4", "1/2", "7/4", "-0.25"]
    assert lines["spread"][2:10] == ["64×64", "4", "2", "1", "5", "1/4", "19/8", "-0.375"]
    assert "jump 1/4" in out
    content = json.loads(call("--file", tmp_path / "finer.keras", "--json")[1])
    assert [layer["effective_stride"] for layer in content["layers"]][-2:] == [
        [0.5] * 2,
        [0.25] * 2,
    ]
    assert content["layers"][-1]["effective_padding"] == [2.375, 2.375]
    assert content["lost_share"] == 0


def test_explain(call):
    code, out, _ = call("--explain", "conv", "--input", "6", "--kernel", "3", "--stride", "2")
    assert code == 0
    assert "⌊(6 + 2·1 − 3) / 2⌋ + 1 = 3" in out
    code, out, _ = call("--explain", "transposed", "--output-padding", "0")
    assert "output padding" not in out.splitlines()[0]
    assert "  13  " in out
    code, out, _ = call("--explain", "conv", "--x=-3,4,1", "--w", "2,8", "--pad", "0")
    assert (code, "y0 = 2·(-3) + 8·4 = 26" in out) == (0, True)


def test_sizes_are_read():
    assert geometry.read_sizes("224") == (224,)
    assert geometry.read_sizes("224x320") == (224, 320)
    for text in ("0", "x", "-3", "2x", "1.5"):
        with pytest.raises(ConfigError):
            geometry.read_sizes(text)


def test_two_inputs_have_a_table_and_no_picture(call, tmp_path):
    one, two = (keras.Input((8, 8, 1), name=name) for name in ("one", "two"))
    keras.Model([one, two], keras.layers.Add(name="sum")([one, two])).save(tmp_path / "two.keras")
    code, out, err = call("--file", tmp_path / "two.keras")
    assert (code, err) == (0, "")
    assert "picture        none: Paths are counted from one input" in out
    code, _, err = call("--file", tmp_path / "two.keras", "--picture", "p.png")
    assert (code, err[:30]) == (2, "error: Paths are counted from ")


def test_names_of_layers_are_no_markup(call, tmp_path):
    inputs = keras.Input((8, 8, 1), name="picture")
    outputs = Conv2D(1, 3, padding="same", name="conv[bold]")(inputs)
    keras.Model(inputs, outputs).save(tmp_path / "odd.keras")
    _, out, _ = call("--file", tmp_path / "odd.keras")
    assert "conv[bold]" in out


def test_the_picture_shows_what_is_counted():
    """The middle output's box, the dots of the outputs, the coverage of the corner."""
    from experiments.geometry import geometry_picture

    inputs = keras.Input((9, 12, 1))
    model = keras.Model(inputs, Conv2D(1, 3, padding="valid", name="a")(inputs))
    figure = geometry_picture.draw("a", model, trace(model))
    sizes, field, coverage = figure.axes[:3]
    assert "field 3×3, 100 % inside the image" in field.get_title()
    box = field.patches[1]
    assert (box.get_x(), box.get_y(), box.get_width()) == (4.5, 2.5, 3)
    (dots,) = field.get_lines()
    assert sorted(set(dots.get_ydata())) == list(range(1, 8))
    seen = field.get_images()[0].get_array()
    assert np.argwhere(seen > 0).min(axis=0).tolist() == [3, 5]
    assert "the corner has 11 % of the maximum" in coverage.get_title()
    labels = [text.get_text() for text in sizes.get_legend().get_texts()]
    assert "map, height" in labels


def test_no_number_is_cut(call, tmp_path):
    inputs = x = keras.Input((1000, 1200, 3), name="a_picture_with_a_name_that_is_long")
    for i in range(3):
        name = f"separable_convolution_with_a_long_name_{i}"
        x = keras.layers.SeparableConv2D(99, (3, 11), (2, 1), padding="same", name=name)(x)
    keras.Model(inputs, x).save(tmp_path / "wide.keras")
    _, out, _ = call("--file", tmp_path / "wide.keras", "--picture", "p.png")
    rows = [line for line in out.splitlines() if line.startswith("separable")]
    assert [row.split()[0] for row in rows] == [f"separable_c…_long_name_{i}" for i in range(3)]
    assert all("…" not in cell for row in rows for cell in row.split()[1:])
    assert rows[0].split()[2] == "500×1200"


@pytest.mark.parametrize("shape", [(16, 12, 4), (30, 4)])
def test_a_normalisation_over_space_is_seen_in_table_lint_and_picture(call, tmp_path, shape):
    inputs = keras.Input(shape, name="image")
    kind = keras.layers.Conv2D if len(shape) == 3 else keras.layers.Conv1D
    x = keras.layers.GroupNormalization(2, name="group")(kind(4, 3, name="conv")(inputs))
    model = keras.Model(inputs, kind(4, 3, name="last")(x))
    model.save(tmp_path / "net.keras")
    code, out, _ = call("--file", tmp_path / "net.keras")
    assert code == 0
    (row,) = [line for line in out.splitlines() if line.startswith("group")]
    assert " all " in row
    assert "normalisation over space sees the whole map" in out
    assert "all: the layer reads its whole map" in " ".join(out.split())
    assert "whole_map" in out
    _, out, _ = call("--file", tmp_path / "net.keras", "--json")
    wholes = {layer["name"]: layer["whole"] for layer in json.loads(out)["layers"]}
    rank = len(shape) - 1
    assert wholes["group"] == [True] * rank and wholes["last"] == [False] * rank
    figure = geometry_picture.draw("net", model, trace(model))
    assert "the whole map is also seen by 'group'" in figure.get_suptitle()


def test_without_one_nothing_is_said_of_it(call):
    code, out, _ = call("model=small_cnn", *SMALL)
    assert code == 0 and "whole map" not in out and "all: " not in out


def test_a_layer_that_trains_wrongly_is_named_in_a_file(call, tmp_path):
    inputs = keras.Input((8, 8, 2), name="image")
    keras.Model(inputs, keras.layers.Conv2D(3, 1, 2, name="skip")(inputs)).save(
        tmp_path / "n.keras"
    )
    code, out, _ = call("--file", tmp_path / "n.keras")
    assert code == 0 and "wrong_kernel_gradient: 'skip' has a kernel of one pixel" in out
