"""The README's table of models says what the networks are."""

import re
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

import models
from models import ModelError
from models.geometry.tracing.trace import trace

ROOT = Path(__file__).resolve().parents[2]
SHAPES = {"googlenet": (224, 224, 1), "tcn": (784, 1), "causal_conv1d": (40, 1)}


def rows():
    lines = (ROOT / "README.md").read_text().split("## Models")[1].split("\n\n")[1].splitlines()
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    return {row[0].strip("`"): row[1:] for row in table}


def build(name, shape, padding):
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        chosen = compose("config", [f"model={name}", "padding=same"]).model
    options = OmegaConf.to_container(chosen)
    return models.build(
        options.pop("name"), input_shape=shape, num_classes=10, padding=padding, **options
    )


def test_every_model_has_a_row():
    assert set(rows()) == {file.stem for file in (ROOT / "conf" / "model").glob("*.yaml")}


@pytest.mark.parametrize("name", list(rows()))
def test_parameters_field_and_smallest_input(name):
    _, _, parameters, field, smallest, _ = rows()[name]
    shape = SHAPES.get(name, (32, 32, 1))
    model = build(name, shape, "same")
    assert f"{model.count_params():,}" == parameters
    last = [row for row in trace(model) if row.output_size][-1]
    found = [int(n.replace(",", "")) for n in re.findall(r"[\d,]+", field)]
    assert found == list(last.receptive_field)
    with pytest.raises(ModelError, match="collapses") as collapse:
        build(name, tuple(2 for _ in shape[:-1]) + shape[-1:], "valid")
    needed = re.search(r"(?:input is|that works has) ([\dx]+)", str(collapse.value))[1]
    assert smallest.replace(",", "").replace("×", "x").split()[0] == needed
