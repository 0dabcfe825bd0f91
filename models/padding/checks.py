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


def check_name(what: str, name: object, allowed: Collection[str]) -> None:
    """Raise PaddingError, with close matches, unless `name` is among `allowed`."""
    if name not in tuple(allowed):  # a name may be of a type that has no hash
        raise PaddingError(unknown(what, name, allowed))


def objects_in(package: str, path: Iterable[str], attribute: str, kind: type[T]) -> dict[str, T]:
    """Return what each module of a package sets `attribute` to, by the module's name.

    Args:
        package, path: `__name__` and `__path__` of the package.
        attribute: such as "MODE".
        kind: the class of which each object must be.

    Raises:
        PaddingError: if a module does not set the attribute to such an object.
    """
    found: dict[str, T] = {}
    for file in sorted(pkgutil.iter_modules(path), key=lambda file: file.name):
        module = importlib.import_module(f"{package}.{file.name}")
        one = getattr(module, attribute, None)
        if not isinstance(one, kind):
            raise PaddingError(
                f"{module.__file__} must set {attribute} to an object of {kind.__module__}."
                f"{kind.__name__} or of a class derived from it."
            )
        found[file.name] = one
    return found
