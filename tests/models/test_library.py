"""The package as a library: its names, its strings, its examples, and both its names at once."""

import doctest
import importlib
import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import pytest

import models
from models import layers
from models.align import align
from models.bind import bind
from models.padding import NAMED, Padding, PaddingError
from models.padding.supports import LAYER_RANK, supports
from tests.helpers import environment

CHECKOUT = Path(__file__).resolve().parents[2]
LAYERS = [n for n in layers.__all__ if isinstance(getattr(layers, n), type)
          and issubclass(getattr(layers, n), keras.Layer)]  # fmt: skip
FUNCTIONS = ("Padding", "pad", "trace", "lint", "build", "bind", "align", "names", "gives",
             "options", "halo", "predict_tiled")  # fmt: skip
# What `import padzoo` gives; in the checkout's own name two of these are modules.
PADZOO = SimpleNamespace(
    **{name: getattr(models, name) for name in models.__all__ if name not in ("align", "bind")},
    align=align,
    bind=bind,
)


@pytest.fixture
def python(tmp_path):
    """`python(code)` runs where `padzoo` and `models` are the same files; returns what it says."""
    (tmp_path / "padzoo").symlink_to(CHECKOUT / "models")

    def call(code):
        command = [sys.executable, "-c", code]
        path = f"{tmp_path}:{CHECKOUT}"
        backend = keras.backend.backend()
        env = environment(PYTHONPATH=path, KERAS_BACKEND=backend)
        ended = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    return call


def examples():
    """Every docstring with an example, by the last name of what it describes."""
    finder, found = doctest.DocTestFinder(), {}
    for module in [models, *map(importlib.import_module, submodules())]:
        for test in finder.find(module, extraglobs={"padzoo": PADZOO, "keras": keras}):
            if test.examples:
                found[test.name.split(".")[-1]] = test
    return found


def submodules():
    return [m.name for m in pkgutil.walk_packages(models.__path__, "models.")
            if not m.name.endswith("extend_tensorflow")]  # fmt: skip


def test_the_examples_are_so(capsys):
    found = examples()
    runner = doctest.DocTestRunner(verbose=False)
    for test in found.values():
        runner.run(test)
    assert runner.failures == 0, capsys.readouterr().out
    assert [name for name in (*LAYERS, *FUNCTIONS) if name not in found] == []


def test_every_layer_that_is_registered_is_public():
    registered = keras.saving.get_custom_objects()
    ours = {name.removeprefix("padzoo>") for name in registered if name.startswith("padzoo>")}
    assert ours == set(LAYERS)
    assert set(layers.__all__) | set(FUNCTIONS) <= set(models.__all__) <= set(dir(models))


@pytest.mark.parametrize("name", sorted(LAYER_RANK))
def test_a_string_is_a_name_of_conf_padding(name):
    kind, rank = getattr(layers, name), LAYER_RANK[name]
    sizes = () if name.startswith(("Max", "Average", "PadInput")) else (2,)
    sizes = sizes[: not name.startswith("Depthwise")]
    window = () if name.startswith("PadInput") else (3,)
    for padding, border in NAMED.items():
        if supports(border.amount, border.mode, name) is not None or padding == "input":
            with pytest.raises(PaddingError, match="Received: padding="):
                kind(*sizes, *window, padding=padding)
            continue
        layer = kind(*sizes, *window, padding=padding)
        assert layer.border == border
        of_keras = ("same", "valid", *["causal"] * name.endswith("Conv1D"))
        assert layer.keeps_string == (padding in of_keras and not name.startswith("PadInput"))
        stated = layer.get_config()["padding"]
        assert stated == (padding if layer.keeps_string else border.to_dict())
        shape = (None, *(9,) * rank, 2)
        again = kind.from_config(layer.get_config())
        assert again.border == border
        meant = kind(*sizes, *window, padding=border)
        assert layer.compute_output_shape(shape) == meant.compute_output_shape(shape)


def test_a_string_that_means_nothing_says_what_is_allowed():
    with pytest.raises(PaddingError, match="unknown padding 'refelct': did you mean reflect"):
        layers.Conv2D(1, 3, padding="refelct")
    assert layers.Conv2D(1, 3, padding="SAME").border == Padding("same")  # as in Keras


def test_importing_padzoo_registers_the_layers_and_importing_models_loads_no_framework(python):
    code = """
import json, sys
import models
quiet = [name for name in ("keras", "numpy", "scipy") if name in sys.modules]
import padzoo
import keras
print(json.dumps({
    "quiet": quiet,
    "version": [padzoo.__version__, models.__version__],
    "missing": [name for name in padzoo.__all__ if not hasattr(padzoo, name)],
    "callable": [callable(padzoo.align), callable(padzoo.bind)],
    "registered": sum(n.startswith("padzoo>") for n in keras.saving.get_custom_objects()),
    "foreign": sorted(n for n in ("hydra", "rich.progress", "tensorflow_datasets", "matplotlib")
                      if n in sys.modules),
}))
"""
    said = json.loads(python(code).splitlines()[-1])
    assert said["quiet"] == [] and said["missing"] == [] and said["callable"] == [True, True]
    assert said["version"] == [models.__version__] * 2
    assert said["registered"] == len(LAYERS)


# What either name saves, the other loads, traces and lints, whichever was imported first.
TWINS = """
import json, sys
import importlib
for name in {order}:
    importlib.import_module(name + ".layers")
import keras, models, numpy as np, padzoo
signatures = [importlib.import_module(n + ".geometry.tracing.signature").signature
              for n in ("models", "padzoo")]
usages = [importlib.import_module(n + ".geometry.reach.usage").usage
          for n in ("models", "padzoo")]

def look(package, model):
    rows = [(r.name, r.output_size, r.pad, r.receptive_field, r.macs) for r in package.trace(model)]
    return repr((rows, [(f.code, f.message) for f in package.lint(model)]))

def network(package):
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((16, 16, 2))
    x = package.PadInput2D(package.Padding(1, "circular"))(x)
    x = package.Conv2D(4, 2, 2, padding="reflect", name="a")(x)
    x = package.Conv2D(4, 1, 2, padding="valid", name="one")(x)
    x = package.LocalResponseNormalization()(package.BatchNormalization()(x))
    x = package.AveragePooling2D(2, 1, padding="half", count_include_pad=True)(x)
    return keras.Model(inputs, x, name="network")

x = np.random.default_rng(0).normal(size=(2, 16, 16, 2)).astype("float32")
for maker in (models, padzoo):
    for model in (maker.build("causal_conv1d", input_shape=(16, 2), num_classes=3, channels=4,
                              levels=1, padding="causal", pools="follow"), network(maker)):
        model.save("network.keras")
        loaded = keras.saving.load_model("network.keras")
        assert len({{look(p, m) for p in (models, padzoo) for m in (model, loaded)}}) == 1
        assert len({{s(m) for s in signatures for m in (model, loaded)}}) == 1
        assert len({{repr(u(m)) for u in usages for m in (model, loaded)}}) == 1
    assert np.array_equal(np.asarray(loaded(x)), np.asarray(model(x)))
print(type(loaded.layers[1]).__module__.split(".")[0], models.Padding.of(padzoo.Padding("full")),
      padzoo.Conv2D(1, 3, padding=models.Padding(1)).border == padzoo.Padding(1))
"""


@pytest.mark.full
@pytest.mark.parametrize("order", [("models", "padzoo"), ("padzoo", "models")])
def test_both_names_in_one_process(python, order):
    (said,) = python(TWINS.format(order=order)).splitlines()
    assert said == f"{order[1]} {Padding('full')} True"


def test_the_page_runs(python):
    page = (CHECKOUT / "docs" / "library.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    assert python("\n".join(blocks)) == ""
