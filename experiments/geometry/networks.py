"""The network to analyse: from the zoo, from keras.applications, or from a file."""

from __future__ import annotations

import os
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conf import device
from conf.reader import ConfigError
from experiments.run import framework

Sizes = tuple[int, ...]


@dataclass(frozen=True)
class Network:
    """A built model and its name."""

    model: Any
    name: str

    @property
    def file_name(self) -> str:
        """The name without characters that do not belong in a file name."""
        return re.sub(r"[^\w.-]+", "-", self.name.replace("×", "x")).strip("-")


def build(
    settings: list[str], keras_name: str | None, file: Path | None, sizes: Sizes | None
) -> Network:
    """Build the network that one of the first three arguments names.

    Args:
        settings: overrides of train.py.
        keras_name: a name in `experiments.geometry.applications`.
        file: a .keras file.
        sizes: of the input, one for all axes or one per axis; None for the network's own.

    Raises:
        ConfigError, data.DataError, models.ModelError: in one line.
    """
    if settings:
        return of_settings(settings, sizes)
    from experiments.geometry import applications

    if keras_name is not None and keras_name not in applications.SIZES:
        applications.build(keras_name, None)  # reports mistakes before Keras is loaded
    if file is not None:
        _check_file(file)
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # nothing is computed
    framework.start(device.default_backend())
    if keras_name is not None:
        model = applications.build(keras_name, _on_axes(sizes, 2))
        return _named(keras_name, model)
    assert file is not None
    return _named(str(file), _resized(_load(file), sizes))


def of_settings(settings: list[str], sizes: Sizes | None) -> Network:
    """Build the zoo's network that train.py would train, without its data."""
    config, names = _compose(settings)
    from data.shapes import Shape, shape
    from experiments.run import inputs

    known = shape(config.data)
    *own, channels = known.input_shape
    found = Shape(
        (*(_on_axes(sizes, len(own)) or own), channels), known.num_classes, known.scored_steps
    )
    if None in found.input_shape:
        raise ConfigError(
            f"the images of {config.data.name} differ in size: give one with --input 224, or "
            "data.resize=224"
        )
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    framework.start(config.backend)
    seed = inputs.derived(config.seed, config.seeds)["padding"]
    return _named(names, inputs.build(config.model, config.padding, found, padding_seed=seed))


def _compose(settings: list[str]) -> tuple[Any, str]:
    from hydra import compose, initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    from conf import commandline
    from conf.schema import from_dict

    overrides = commandline.readable(settings)
    if commandline.check(overrides) > 1 or commandline.preset(overrides):
        raise ConfigError(
            "the geometry is that of one network: give one value per setting, and no sweep="
        )
    try:
        with initialize_config_dir(str(commandline.ROOT), version_base="1.3"):
            composed = compose("config", overrides)
        values: Any = OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
        config = from_dict(values)
    except (HydraException, OmegaConfBaseException) as mistake:
        raise commandline.explain(mistake, overrides) from None
    return config, f"{config.model.name}, padding {config.padding.label}, {config.data.label}"


def _named(name: str, model: Any) -> Network:
    sizes = "×".join(str(n) for n in model.inputs[0].shape[1:-1])
    return Network(model, f"{name}, {sizes}" if sizes else name)


def _on_axes(sizes: Sizes | None, rank: int) -> Sizes | None:
    if sizes is None or len(sizes) == rank:
        return sizes
    if len(sizes) == 1:
        return sizes * rank
    raise ConfigError(f"--input has {len(sizes)} sizes but the network's input has {rank} axes")


def _check_file(file: Path) -> None:
    if not file.is_file():
        raise ConfigError(f"--file {file}: there is no such file")
    if file.suffix != ".keras" or not zipfile.is_zipfile(file):
        raise ConfigError(f"--file takes a .keras file, written by model.save; got {file}")


def _load(file: Path) -> Any:
    import keras

    try:
        return keras.saving.load_model(file, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises almost anything
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise ConfigError(f"{file} cannot be loaded in safe mode: {reason}") from None


def _resized(model: Any, sizes: Sizes | None) -> Any:
    """The model with other input sizes, untrained."""
    import keras

    if not isinstance(model, keras.Model) or len(model.inputs) != 1:
        return model
    *own, channels = model.inputs[0].shape[1:]
    wanted = _on_axes(sizes, len(own)) if own else None
    if wanted is None and None in own:
        raise ConfigError("the model takes inputs of any size: choose one with --input 224")
    if wanted is None or wanted == tuple(own):
        return model
    try:
        inputs = keras.Input((*wanted, channels), name=model.inputs[0].name)
        same_structure = keras.tree.map_structure(lambda _: inputs, model.input)
        return keras.models.clone_model(model, input_tensors=same_structure)
    except Exception as error:  # errors of any layer
        reason = " ".join(str(error).split())[:300]
        raise ConfigError(f"the model does not take {wanted}: {reason}") from None
