"""The command line before Hydra: one-line messages for mistakes.

Hydra composes the configuration, but it reports a misspelt name over several lines, accepts an
unknown key after a `+`, and starts a sweep before it checks the sweep's values. `check` runs first.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NoReturn

from hydra import compose, initialize_config_dir
from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Sweep
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue

from conf.reader import ConfigError, unknown

ROOT = Path(__file__).resolve().parent
# Groups whose choices may have a file of code each.
CODE = {
    "model": ("models/architectures",),
    "data": ("data/builders",),
    "padding": ("models/padding/modes", "models/padding/amounts"),
}
PATHS = ("evaluate", "runs_dir", "data.path", "data.data_dir")
# Settings with one value in a whole sweep, in addition to the study's declaration under `sweep.`
ONCE = ("sweep", "rerun", "trainer.seeds_at_once")
# Groups whose files may set anything.
GLOBAL = ("experiment", "debug")
# Mappings with keys that the user chooses.
FREE = ("padding.overrides", "hydra")


def readable(arguments: list[str]) -> list[str]:
    """The arguments in Hydra's form: flags first, paths quoted (they contain `seed=0`).

    Raises:
        ConfigError: for a flag that does not exist.
    """
    parser = get_args_parser()
    parser.error = _refuse  # type: ignore[method-assign]
    overrides = list(parser.parse_intermixed_args(arguments).overrides)
    flags = list(arguments)
    for override in reversed(overrides):
        flags.reverse()
        flags.remove(override)
        flags.reverse()
    return flags + [_quoted(override) for override in overrides]


def _refuse(message: str) -> NoReturn:
    raise ConfigError(f"{message}; --help lists what there is")


def options(group: str) -> dict[str, str]:
    """The choices of a configuration group: name to the first line of its file."""
    return {file.stem: help_of(file) for file in sorted((ROOT / group).glob("*.yaml"))}


def check(arguments: list[str]) -> int:
    """The number of runs that the overrides ask for; `ConfigError` if one is invalid."""
    if get_args_parser().parse_known_args(arguments)[0].experimental_rerun:
        raise ConfigError(
            "--experimental-rerun is not offered, because it unpickles a file: give the command "
            "again, and its run is resumed or its result shown"
        )
    overrides = parse(arguments)
    for override in overrides:
        group = override.key_or_group
        if group == "probes" and override.is_sweep_override():
            raise ConfigError(
                "probes is one list for every run: probes=[shift,swap], or probes=all"
            )
        if override.is_sweep_override() and (group in ONCE or group.startswith("sweep.")):
            raise ConfigError(
                f"{override.input_line}: {group} has one value for all runs of a command; "
                "run one command for each value"
            )
        if override.is_delete():
            raise ConfigError(f"{override.input_line}: no setting can be removed; give it a value")
        if (ROOT / group).is_dir():
            for choice in values(override):
                if choice not in options(group):
                    raise _no_choice(group, str(choice))
    presets = [override.input_line for override in overrides if override.key_or_group == "sweep"]
    if len(presets) > 1:
        raise ConfigError(f"{' '.join(map(str, presets))}: a command takes one preset")
    if any(override.is_add() or override.is_force_add() for override in overrides):
        check_keys(overrides)
    return math.prod(len(values(o)) for o in overrides if o.is_sweep_override())


def _no_choice(group: str, choice: str) -> ConfigError:
    """The error for a choice that a group does not have; a newcomer may lack its YAML alone."""
    for folder in CODE.get(group, ()):
        code = f"{folder}/{choice}.py"
        if choice.isidentifier() and (ROOT.parent / code).is_file():
            return ConfigError(
                f"{code} is there, and conf/{group}/{choice}.yaml is not: write it, as "
                "docs/extending.md shows"
            )
    return unknown(group, choice, options(group))


def check_keys(overrides: list[Override]) -> None:
    """`ConfigError` for the first override whose key the composed configuration does not have."""
    known = _known_keys(overrides)
    for override in overrides:
        key = override.key_or_group
        if (ROOT / key).is_dir() or any(key == f or key.startswith(f"{f}.") for f in FREE):
            continue
        if key.startswith("hydra/"):
            continue
        parts = key.split(".")
        prefixes = [".".join(parts[:n]) for n in range(1, len(parts) + 1)]
        if key not in known:
            key = next(prefix for prefix in prefixes if prefix not in known)
            near = {k for k in known if k.count(".") == key.count(".")}
            same_group = {k for k in near if k.split(".")[0] == key.split(".")[0]}
            raise unknown("key", key, same_group or near)


def explain(error: Exception, arguments: list[str]) -> ConfigError:
    """The reason why `arguments` were refused, in one plain line."""
    if isinstance(error, MissingMandatoryValue):
        return ConfigError(f"{error.full_key} must be set: {error.full_key}=…")
    if isinstance(error, HydraException):
        try:
            check_keys(parse(arguments))
        except ConfigError as better:
            return better
    return ConfigError(str(error))


def help_of(file: Path) -> str:
    """What the comment at a choice's top says of it; nothing where there is none."""
    for line in file.read_text().splitlines():
        if not line.startswith("#"):
            break
        if (text := line.lstrip("# ")) and not text.startswith("@package"):
            return text
    return ""


def _quoted(argument: str) -> str:
    key, _, value = argument.partition("=")
    if key not in PATHS or not set(value) & set("= ()[]{}~,:") or value[0] in "\"'":
        return argument
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{key}='{escaped}'"


def parse(arguments: list[str]) -> list[Override]:
    """The overrides among the arguments; `ConfigError` if one cannot be read."""
    parser = OverridesParser.create()
    overrides = []
    for argument in get_args_parser().parse_known_args(arguments)[0].overrides:
        try:
            overrides.append(parser.parse_override(argument))
        except HydraException as error:
            raise ConfigError(
                f"cannot read '{argument}': overrides are written key=value; "
                + str(error).strip().splitlines()[0]
            ) from None
    return overrides


def values(override: Override) -> list[str]:
    """The values of an override, as text; several if it is a sweep."""
    if override.is_sweep_override() and isinstance(override.value(), Sweep):
        return [_text(value) for value in override.sweep_iterator()]
    return [_text(override.value())]


def _text(value: Any) -> str:
    return "null" if value is None else str(getattr(value, "text", value))


def is_multirun(arguments: list[str]) -> bool:
    """Whether Hydra would run a sweep, because of its flag or of a mode that is set or chosen."""
    if get_args_parser().parse_known_args(arguments)[0].multirun:
        return True
    overrides = parse(arguments)
    modes = [str(o.input_line) for o in overrides if o.key_or_group == "hydra.mode"]
    # Composing takes a fifth of a second, and only these can set a mode.
    if not modes and not any(o.key_or_group in GLOBAL for o in overrides):
        return False
    with initialize_config_dir(str(ROOT), version_base="1.3"):
        composed = compose("config", _choices(overrides) + modes, return_hydra_config=True)
    return composed.hydra.mode == RunMode.MULTIRUN


def preset(arguments: list[str]) -> str | None:
    """The preset of conf/sweep that the overrides choose, or None."""
    chosen = [values(o)[0] for o in parse(arguments) if o.key_or_group == "sweep"]
    return chosen[-1] if chosen and chosen[-1] != "none" else None


def only_shows(arguments: list[str]) -> bool:
    """Whether Hydra is only asked to show something."""
    flags = get_args_parser().parse_known_args(arguments)[0]
    return bool(flags.cfg or flags.info or flags.hydra_help or flags.shell_completion)


def check_shows_one(arguments: list[str]) -> None:
    """`ConfigError` if Hydra is asked to show the configuration of a multirun."""
    if only_shows(arguments):
        raise ConfigError("--cfg and similar flags show one run: leave out -m")


def hydras_own(arguments: list[str]) -> tuple[list[str], list[str]]:
    """The arguments for Hydra itself (flags, its launcher), and the overrides of the runs."""
    keys = ((o.key_or_group, str(o.input_line)) for o in parse(arguments))
    runs = [text for key, text in keys if not key.startswith(("hydra/", "hydra."))]
    return [argument for argument in arguments if argument not in runs], runs


def _choices(overrides: list[Override]) -> list[str]:
    """The first choice of every configuration group that is chosen."""
    groups = [o for o in overrides if (ROOT / o.key_or_group).is_dir()]
    return [f"{override.key_or_group}={values(override)[0]}" for override in groups]


def _known_keys(overrides: list[Override]) -> set[str]:
    with initialize_config_dir(str(ROOT), version_base="1.3"):
        return set(_flatten(compose("config", _choices(overrides))))


def _flatten(config: DictConfig) -> list[str]:
    def walk(node: Any, prefix: str) -> list[str]:
        keys = []
        for key, value in node.items():
            path = f"{prefix}{key}"
            keys.append(path)
            if isinstance(value, dict):
                keys += walk(value, f"{path}.")
        return keys

    return walk(OmegaConf.to_container(config, resolve=False), "")
