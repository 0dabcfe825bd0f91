"""`--tiles`: by how much tiles must overlap, what is computed twice, and what is refused."""

import json
import os

import keras
import pytest

from experiments.geometry import __main__ as geometry
from models.layers import Conv2D

UNET = ("model=unet", "data=placed_digits", "model.width=1")


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """`call("model=unet", …)` runs the command in an empty folder: (code, out, err)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", os.environ.get("CUDA_VISIBLE_DEVICES", "-1"))

    def run(*arguments):
        code = geometry.main([str(a) for a in arguments])
        return code, *capsys.readouterr()

    return run


def test_it_says_the_overlap_the_sizes_and_what_is_computed_twice(call):
    code, out, err = call(*UNET, "padding=reflect", "--input", "1000x700", "--tiles", 256)
    assert (code, err) == (0, "")
    assert "overlap        44 pixels\n" in out
    assert "tile sizes     multiples of 4 pixels from 48 on\n" in out
    assert "tiles          5×4 windows of 256×256 pixels cover 1000×700\n" in out
    assert "twice          58.9 % of the image's pixels lie in more than one window" in out


def test_an_image_that_one_tile_holds(call):
    code, out, _ = call(*UNET, "padding=same", "--tiles", 64)
    assert code == 0
    assert "tiles          one: the image has 32×32 pixels; --input takes a larger one\n" in out


def test_an_axis_that_goes_round_is_not_cut(call):
    tiles = (*UNET, "padding=latitude_longitude", "--input", "400x128", "--tiles")
    code, out, _ = call(*tiles, "64x128")
    assert code == 0
    assert "overlap        rows: 44 pixels; columns: none is enough: mode 'circular' pads" in out
    code, _, err = call(*tiles, 64)
    assert code == 2
    assert "A tile must have all 128 columns. --tiles 64 was asked for\n" in err


def test_json_has_it_too(call):
    code, out, _ = call(*UNET, "padding=reflect", "--input", 200, "--tiles", "64x100", "--json")
    found = json.loads(out)["tiles"]
    assert code == 0
    assert found["overlap"] == [44, 44] and found["tile"] == found["window"] == [64, 100]
    assert found["windows"] == [8, 3] and 1 < found["work"] < 5


@pytest.mark.parametrize(
    ("settings", "tiles", "said"),
    [
        (("padding=same",), "16", "at least 48 rows, because neighbours overlap by 44"),
        (("padding=same",), "50", "multiple of 4 rows, the period of the network's strides: 48 or"),
        (("padding=same",), "64x64x64", "--tiles takes pixels, 224 or 224x320"),
        (("padding=same",), "0", "--tiles takes pixels"),
        (("padding=same",), "many", "--tiles takes pixels"),
        (("padding=circular",), "64", "no overlap of tiles is enough: mode 'circular' pads 'down1"),
        (("padding=mean",), "64", "with what the whole map holds"),
        (("model=small_cnn",), "64", "reads all of its map, and the network gives no image"),
    ],
)
def test_what_does_not_fit_is_one_line(call, settings, tiles, said, tmp_path):
    base = UNET if not settings[0].startswith("model") else ()
    size = () if base == () else ("--input", 200)
    code, out, err = call(*base, *settings, *size, "--tiles", tiles)
    assert (code, out) == (2, "")
    assert err.startswith("error: ") and err.count("\n") == 1 and said in err
    assert "Received" not in err
    assert list(tmp_path.iterdir()) == []


def test_a_network_from_a_file(call, tmp_path):
    inputs = keras.Input((64, 64, 3))
    path = tmp_path / "my.keras"
    keras.Model(inputs, Conv2D(2, 5, padding="reflect")(inputs)).save(path)
    code, out, _ = call("--file", path, "--input", 300, "--tiles", 100)
    assert code == 0
    assert "overlap        4 pixels\ntile sizes     from 5 pixels on\n" in out


def test_it_is_not_combined_with_one_layer(call):
    code, _, err = call("--explain", "conv", "--tiles", 64)
    assert code == 2 and "cannot be combined" in err
