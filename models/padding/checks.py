"""The error of this folder, and how the files of a registry are found."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Iterable
from typing import TypeVar

from ..messages import unknown

T = TypeVar("T")


class PaddingError(ValueError):
    """A padding that does not exist, or that does not fit where it is used."""


class SizeError(PaddingError):
    """A map of a size that its mode cannot continue, though it can one a little larger.

    Attributes:
        axis: the spatial axis, counted from 0.
    """

    def __init__(self, message: str, axis: int) -> None:
        super().__init__(message)
        self.axis = axis


def check_name(what: str, name: object, allowed: Collection[str]) -> None:
    """Raise PaddingError, with close matches, unless `name` is among `allowed`.

    Of a registry's file that brings no object, the error says why.
    """
    if name not in tuple(allowed):  # a name may be of a type that has no hash
        broken = allowed.broken if isinstance(allowed, Registry) else {}
        if isinstance(name, str) and name in broken:
            raise PaddingError(broken[name])
        raise PaddingError(unknown(what, name, allowed))


class Registry(dict[str, T]):
    """Objects by name, in the order given.

    Attributes:
        broken: name -> why the file of that name brings no object, in one plain line.
    """

    def __init__(self, found: dict[str, T], broken: dict[str, str]) -> None:
        super().__init__(found)
        self.broken = broken


def objects_in(
    package: str, path: Iterable[str], attribute: str, kinds: tuple[type[T], ...]
) -> Registry[T]:
    """Return what each module of a package sets `attribute` to, by the module's name.

    A module that cannot be imported, or that does not set it, is among `broken`, so that it stops
    nobody who does not ask for it.

    Args:
        package, path: `__name__` and `__path__` of the package.
        attribute: such as "MODE".
        kinds: the classes of which one must be the object's.
    """
    found: dict[str, T] = {}
    broken = {}
    for file in sorted(pkgutil.iter_modules(path), key=lambda file: file.name):
        where = f"{package.replace('.', '/')}/{file.name}.py"
        try:
            one = getattr(importlib.import_module(f"{package}.{file.name}"), attribute, None)
        except SyntaxError as error:
            broken[file.name] = f"{where}, line {error.lineno}: {error.msg}"
        except Exception as error:  # whatever a newcomer's file raises
            broken[file.name] = f"{where}: {type(error).__name__}: {' '.join(str(error).split())}"
        else:
            if isinstance(one, kinds):
                found[file.name] = one
            else:
                names = " or ".join(f"{kind.__name__}(…)" for kind in kinds)
                broken[file.name] = f"{where} must set {attribute} = {names}"
    return Registry(found, broken)
