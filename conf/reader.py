"""Reads plain values into typed, frozen dataclasses, with one plain line for each mistake."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from models import messages

T = TypeVar("T")


class ConfigError(ValueError):
    """A mistake in the configuration. The message is one line: what is wrong, what is allowed."""


class DoesNotFitError(ConfigError):
    """A combination of valid values that makes no sense; in a sweep it is not applicable."""


def unknown(what: str, name: str, allowed: Iterable[str]) -> ConfigError:
    """The error for a name that does not exist, with similar names."""
    return ConfigError(messages.unknown(what, name, sorted(allowed)))


def read(cls: type[T], values: Any, where: str = "") -> T:
    """An instance of the dataclass `cls` from a mapping, every field checked against its type."""
    if not isinstance(values, dict):
        raise ConfigError(f"{where} takes the keys {', '.join(_names(cls))}; got {values!r}")
    prefix = f"{where}." if where else ""
    for key in values:
        if key not in _names(cls):
            raise unknown("key", f"{prefix}{key}", [f"{prefix}{name}" for name in _names(cls)])
    types = get_type_hints(cls)
    read_values = {}
    for field in fields(cls):  # type: ignore[arg-type]
        if field.name in values:
            path = f"{prefix}{field.name}"
            read_values[field.name] = _value(types[field.name], values[field.name], path)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ConfigError(f"{prefix}{field.name} must be set")
    return cls(**read_values)


def _names(cls: type) -> list[str]:
    return [field.name for field in fields(cls)]


def _value(kind: Any, value: Any, path: str) -> Any:
    if kind is Any:
        return value
    allowed = [kind]
    if get_origin(kind) in (Union, UnionType):
        if value is None and NoneType in get_args(kind):
            return None
        allowed = [option for option in get_args(kind) if option is not NoneType]
        for option in allowed:
            if isinstance(option, type) and type(value) is option:
                return value
        kind = allowed[-1]
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise unknown(path, str(value), get_args(kind))
        return value
    if is_dataclass(kind) and isinstance(kind, type):
        return read(kind, value, path)
    if get_origin(kind) is dict:
        if not isinstance(value, dict):
            raise ConfigError(f"{path} must be a mapping; got {value!r}")
        return dict(value)
    if kind is float and type(value) is int:
        return float(value)
    if kind is str and type(value) in (int, float):
        return str(value)  # study=2024 is a name
    if type(value) is not kind:
        spoken = " or ".join(str(_SPOKEN.get(one, one)) for one in allowed)
        raise ConfigError(f"{path} must be {spoken}; got {value!r}")
    return value


_SPOKEN = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
}
