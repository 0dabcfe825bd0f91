"""What a newcomer reads who forgets something: the file, and what to write there."""

import importlib
import shutil
import sys

import pytest

import models
from conf import commandline
from models import ModelError, registry
from tests.contract import models_contract as contract

NET = '''
"""A network as in docs/extending.md."""

from __future__ import annotations

import keras

from ..bind import Bound

KIND = "image"
TINY = {"width": 4}


def build(nn: Bound, input_shape, num_classes, *, width: int = 16) -> keras.Model:
    inputs = keras.Input(input_shape)
    x = nn.pad_input(inputs)
    x = skip = nn.Conv2D(width, 3, activation="relu", name="stem")(x)
    x = nn.Conv2D(width, 3, activation="relu", name="conv")(x)
    x, skip = nn.align([x, skip], name="align")
    x = keras.layers.Add(name="add")([x, skip])
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    logits = keras.layers.Dense(num_classes, dtype="float32", name="logits")(x)
    return keras.Model(inputs, logits, name="my_net")
'''
YAML = "# two convolutions and a skip\nname: my_net\nwidth: 16\n"


@pytest.fixture
def my_net(tmp_path, monkeypatch):
    """`my_net(code, yaml)` puts a model into a copy of the registry; None leaves a file out."""
    folder, conf = tmp_path / "models" / "architectures", tmp_path / "conf"
    shutil.copytree(registry.FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(commandline.ROOT / "model", conf / "model")
    package = importlib.import_module("models.architectures")
    monkeypatch.setattr(package, "__path__", [str(folder)])
    monkeypatch.setattr(registry, "FOLDER", folder)
    monkeypatch.setattr(commandline, "ROOT", conf)

    def write(code=NET, yaml=YAML):
        (folder / "my_net.py").write_text(code)
        if yaml is not None:
            (conf / "model" / "my_net.yaml").write_text(yaml)
        registry.kinds.cache_clear()
        return "my_net"

    contract.shape.cache_clear(), contract.initial.cache_clear()
    yield write
    sys.modules.pop("models.architectures.my_net", None)
    registry.kinds.cache_clear(), contract.shape.cache_clear(), contract.initial.cache_clear()


def check(name, tmp_path):
    """The whole contract of a model, under a padding that shrinks the map."""
    contract.check_the_file(name)
    contract.check_the_yaml(name)
    model = contract.tiny(name, "valid")
    contract.check_what_it_gives(name, model)
    contract.check_initial_weights(name, "valid", model)
    contract.tiny(name, "input")
    contract.check_a_step(name, model)
    contract.check_saving(name, model, tmp_path)


def test_a_whole_model_passes(my_net, tmp_path):
    check(my_net(), tmp_path)


FILE = "models/architectures/my_net.py"
STEM = 'nn.Conv2D(width, 3, activation="relu", name="stem")'
CONV = 'nn.Conv2D(width, 3, activation="relu", name="conv")'
FAULTS = {
    "no KIND": ('KIND = "image"', "", f"{FILE} must set KIND to a literal.*'image' or 'sequence'"),
    "KIND unknown": ('"image"', '"picture"', f"{FILE}: KIND is 'image' or 'sequence'"),
    "GIVES unknown": (
        'KIND = "image"',
        'KIND = "image"\nGIVES = "picture"',
        f"{FILE}: GIVES is 'image' or 'logits', or is left out",
    ),
    "GIVES computed": (
        'KIND = "image"',
        'KIND = "image"\nGIVES = str(KIND)',
        f"{FILE}: GIVES is 'image' or 'logits', or is left out",
    ),
    "an image that is none": (
        'KIND = "image"',
        'KIND = "image"\nGIVES = "image"',
        rf"{FILE}: GIVES = 'image' says .*\(batch, height, width, 3\).*gives \(None, 3\): its last",
    ),
    "an image that is not said": (
        'keras.layers.GlobalAveragePooling2D(name="pool")(x)',
        "keras.layers.ReLU()(x)",
        f"{FILE}: the model gives a map, .*: set GIVES = 'image' below KIND if it is one",
    ),
    "no TINY": ('TINY = {"width": 4}', "", rf"{FILE} must set TINY.*TINY = {{'width': …}}"),
    "TINY unknown": ('{"width": 4}', '{"widht": 4}', "unknown option in TINY.*did you mean width"),
    "TINY of another type": ('{"width": 4}', '{"width": "4"}', "`width` of my_net must be int"),
    "no type": ("width: int = 16", "width=16", rf"{FILE}: option `width` .* width: int; allowed"),
    "a type that is not read": ("width: int", "width: dict", f"{FILE}: option `width` .*allowed"),
    "a type that is not there": ("width: int", "width: Int", f"{FILE}: an annotation.*'Int'"),
    "no default": ("width: int = 16", "width: int", f"{FILE}: option `width` .*a default"),
    "options before the star": ("*, width", "width", rf"{FILE}: build takes .*after a `\*`"),
    "no build": ("def build", "def make", rf"{FILE} has no function build\(nn, input_shape, "),
    "no Python": ("import keras", "import keras as", f"{FILE}, line 6: invalid syntax"),
    "an import": ("import Bound", "import Bond", f"{FILE}, line 8: cannot import name 'Bond'"),
    "a mistake at its top": ('KIND = "image"', 'KIND = "image"\nkeras.x', f"{FILE}, line 11: Attr"),
    "a mistake inside": (STEM, "nn.Conv2D(wdith, 3)", f"{FILE}, line 17: NameError: .*'wdith'"),
    "a layer that nn lacks": (STEM, "nn.Conv3D(4, 3)", "line 17: .*nn has no Conv3D. Its layers: "),
    "a layer without a name": (STEM, "nn.Conv2D(4, 3)", "line 17: .*nn.Conv2D needs a name"),
    "a padding of its own": ('name="stem"', 'name="stem", padding="same"', "'stem' is bound"),
    "a layer of Keras": (
        CONV,
        "keras.layers.Conv2D(width, 3)",
        r"my_net has layers that no padding is bound to: Conv2D 'conv2d\w*'. .* nn.Conv2D\(",
    ),
    "a pool of Keras in a block": (
        CONV,
        f"keras.Sequential([keras.layers.MaxPooling2D(1, name='mine'), {CONV}])",
        r"no padding is bound to: MaxPooling2D 'mine'. .* nn.MaxPooling2D\(",
    ),
    "no align": (
        'nn.align([x, skip], name="align")',
        "x, skip",
        rf"{FILE}, line 20: branches of different sizes meet.*nn.align\(\[a, b\]",
    ),
    "no pad_input": ("nn.pad_input(inputs)", "inputs", "my_net does not begin with pad_input"),
    "other classes": ("Dense(num_classes", "Dense(7", "gives 7 logits, and the data has 3 classes"),
    "nothing returned": ("    return keras.Model", "    keras.Model", "must return a keras.Model"),
    "a dict returned": ("keras.Model(inputs, logits, name", "dict(name", "return a keras.Model"),
    "another name": ('name="my_net"', 'name="net"', rf"{FILE}: .*'net': keras.Model\(…, name='my_"),
    "softmax": ("num_classes, dtype", "num_classes, 'softmax', dtype", f"{FILE}: .*no softmax"),
    "a weight that is not read": (
        "    logits =",
        "    x = keras.layers.Add(name='mix')([x, 0 * keras.layers.Dense(width, name='idle')(x)])\n"
        "    logits =",
        f"{FILE}: no gradient reaches .*idle",
    ),
    "weights of the map's size": ("GlobalAveragePooling2D(", "Flatten(", "not depend on the map's"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_says_what_to_write_where(my_net, tmp_path, fault):
    old, new, message = FAULTS[fault]
    assert old in NET
    with pytest.raises((pytest.fail.Exception, ModelError), match=message) as told:
        check(my_net(NET.replace(old, new)), tmp_path)
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 500


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        (
            None,
            r"conf/model chooses my_net: write conf/model/my_net.yaml:(?s:.*)width: 16",
        ),
        (
            "name: my_net\nwidth: 16\n",
            "conf/model/my_net.yaml must begin with a line `# what",
        ),
        ("# a net\nname: my_net\n", "my_net.yaml lacks the option `width`.*add width: 16"),
        ("# a net\nname: my_net\nwidth: 16\nkernel: 3\n", "unknown option of my_net 'kernel'"),
        ("# a net\nname: my_net\nwidth: wide\n", "`width` of my_net must be int"),
    ],
)
def test_a_fault_of_the_yaml(my_net, yaml, message):
    with pytest.raises(pytest.fail.Exception, match=message):
        contract.check_the_yaml(my_net(yaml=yaml))


def test_channels_that_differ_are_no_matter_of_size(my_net):
    code = NET.replace(CONV, 'nn.Conv2D(2 * width, 3, name="conv")')
    with pytest.raises(ModelError, match="incompatible shapes") as told:
        models.build(my_net(code), input_shape=(9, 9, 1), num_classes=3)
    assert "align" not in str(told.value)


DOWN_AND_UP = f"""keras.layers.UpSampling2D(2, name="up")(
        nn.MaxPooling2D(2, name="down")({CONV}(x))
    )"""


@pytest.mark.parametrize("mode", ["zeros", "circular"])
def test_sizes_that_cannot_meet_have_neighbours_that_can(my_net, mode):
    """Of 9 rows 8 come back, of 12 columns 12; under `circular` no unknown size can be built."""
    code = NET.replace(f"{CONV}(x)", DOWN_AND_UP).replace(
        'nn.align([x, skip], name="align")', "x, skip"
    )
    padding = {"amount": "same", "mode": mode}
    args = {"num_classes": 3, "padding": padding}
    with pytest.raises(models.DoesNotFitError) as told:
        models.build(my_net(code), input_shape=(9, 12, 1), **args)
    assert str(told.value).endswith(
        "The next smaller input that works is 8x12, the next larger 10x12. "
        "Received: input_shape=(9, 12, 1)"
    )
    assert len(str(told.value)) < 500
    with pytest.raises(models.DoesNotFitError, match="is 10x4, the next larger 12x6. Received"):
        models.build("my_net", input_shape=(11, 5, 1), **args)
    assert models.build("my_net", input_shape=(8, 12, 1), **args).output_shape == (None, 3)


def test_a_file_that_is_no_python_leaves_the_others_alone(my_net):
    my_net("def build(:\n")
    assert models.kind("small_cnn") == "image"
    assert "my_net" not in models.names()
