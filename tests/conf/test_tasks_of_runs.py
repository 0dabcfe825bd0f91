"""Which task a run has, and what does not go together."""

import subprocess
import sys

import pytest

import models
from conf import choices
from conf.commandline import ROOT
from conf.reader import ConfigError, DoesNotFitError


@pytest.mark.parametrize(
    ("model", "of_data", "task"),
    [
        ("small_cnn", None, "classification"),
        ("small_cnn", "segmentation", "classification"),
        ("causal_conv1d", "forecasting", "forecasting"),
        ("autoencoder", None, "reconstruction"),
        ("unet", "segmentation", "segmentation"),
        ("unet", "forecasting", "reconstruction"),
        ("subpixel", "segmentation", "super_resolution"),
    ],
)
def test_the_task_follows_from_network_and_data(model, of_data, task):
    assert choices.task_of("auto", model, of_data) == task


def test_an_unknown_task_is_told_with_those_there_are():
    with pytest.raises(ConfigError, match="did you mean segmentation"):
        choices.task_of("segmentatoin", "unet", None)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("model=small_cnn", "task=segmentation"), "task=segmentation takes model="),
        (("model=unet", "task=classification"), "unet is for task=reconstruction, segmentation"),
        (("model=unet", "task=super_resolution"), "task=super_resolution takes model=subpixel"),
        (("model=subpixel", "task=reconstruction"), "subpixel is for task=super_resolution"),
        (("model=autoencoder", "trainer.label_smoothing=0.1"), "label_smoothing is for classes"),
        (
            ("model=autoencoder", "task=reconstruction", "sweep.metric=test_psnr"),
            "test_mae and validation_mae",
        ),
        (("model=autoencoder", "data.augment.crop=2"), "data.augment.flip alone"),
        (("model=autoencoder", "data.sequence=true"), "data.sequence=true"),
        (("task=painting",), "task"),
    ],
)
def test_what_does_not_fit_is_one_line_and_writes_nothing(program, tmp_path, arguments, why):
    outcome = program(*arguments)
    assert outcome.code == 2
    assert why in outcome.err
    assert outcome.err.count("\n") == 1
    assert not (tmp_path / "runs").exists()


def test_a_run_of_classes_has_the_identity_that_it_had_before_there_were_tasks():
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    from conf.commandline import ROOT
    from conf.schema import from_dict

    with initialize_config_dir(str(ROOT), version_base="1.3"):
        composed = compose("config", [])
    values = OmegaConf.to_container(composed, resolve=True)
    identity = from_dict(values).identity("x")
    assert "task" not in identity
    assert not {"task", "factor"} & set(identity["data"])


def test_does_not_fit_is_a_mistake_in_the_configuration():
    assert issubclass(DoesNotFitError, ConfigError)


LOADS = """
import sys
import hydra
from omegaconf import OmegaConf
from conf import commandline
from conf.schema import from_dict
with hydra.initialize_config_dir(str(commandline.ROOT), version_base="1.3"):
    for model in commandline.options("model"):
        composed = hydra.compose("config", [f"model={model}", "padding=same"])
        from_dict(OmegaConf.to_container(composed, resolve=True))
print(sorted({"keras", "tensorflow", "jax"} & sys.modules.keys()))
"""


def test_no_models_configuration_loads_a_framework():
    """Keras fixes its back end when it is imported: before that the configuration is read."""
    ended = subprocess.run(
        [sys.executable, "-c", LOADS], cwd=ROOT.parent, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "[]"


@pytest.mark.parametrize("name", models.names())
def test_options_are_read_as_they_are_imported(name):
    read = models.registry.literal_options(models.registry.FOLDER / f"{name}.py")
    options = models.options(name)
    assert read == {option: options[option] for option in read}
    assert ("factor" in read) == ("factor" in options)
