"""Which architectures there are, and what each takes. Importing this loads no framework."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from .messages import unknown

Kind = Literal["image", "sequence"]

FOLDER = Path(__file__).parent / "architectures"
SPATIAL_RANK: dict[Kind, int] = {"sequence": 1, "image": 2}


class ModelError(ValueError):
    """A model that does not exist or cannot be built as asked, in one plain line."""


class DoesNotFitError(ModelError):
    """A good model that does not take this data or this padding."""


def constants(folder: Path, name: str) -> dict[str, Any]:
    """Return what the modules of a folder set a constant to, by module, without importing one.

    Args:
        folder: of modules; one that does not set the constant is left out.
        name: of the constant, which is set to a literal at the module's top.
    """
    found = {}
    for file in sorted(folder.glob("*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
                found[file.stem] = ast.literal_eval(node.value)
    return found


@functools.cache
def kinds() -> dict[str, Kind]:
    """Return what each architecture takes: the `KIND` that its file in `architectures` sets."""
    return constants(FOLDER, "KIND")


def names() -> list[str]:
    """Return the names of all models."""
    return list(kinds())


def kind(name: str) -> Kind:
    """Return what a model takes, `"image"` or `"sequence"`; raises ModelError if unknown."""
    if name not in kinds():
        raise ModelError(unknown("model", name, kinds()))
    return kinds()[name]


def options(name: str) -> dict[str, Any]:
    """Return a model's options with their defaults; raises ModelError if it is unknown."""
    parameters = inspect.signature(builder(name)).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}


def builder(name: str) -> Callable[..., Any]:
    """Return a model's `build`; raises ModelError if it is unknown."""
    kind(name)
    return importlib.import_module(f".architectures.{name}", __package__).build


def check_kind(name: str, input_shape: tuple[int | None, ...]) -> None:
    """Raise DoesNotFitError unless the model takes examples of this shape."""
    rank = len(input_shape) - 1
    if SPATIAL_RANK[kind(name)] == rank:
        return
    wanted = {
        "image": "an image, (height, width, channels)",
        "sequence": "a sequence, (steps, channels)",
    }
    fitting = [other for other, k in kinds().items() if SPATIAL_RANK[k] == rank]
    raise DoesNotFitError(
        f"{name} takes {wanted[kind(name)]}. Models that take this data: "
        f"{', '.join(fitting) or 'none'}. Received: input_shape={tuple(input_shape)}"
    )


def check_options(name: str, given: Mapping[str, Any]) -> None:
    """Raise ModelError for an option that the model lacks, or a value of another type."""
    allowed = options(name)
    for option in given:
        if option not in allowed:
            raise ModelError(unknown(f"option of {name}", option, allowed))
    types = get_type_hints(builder(name))
    for option, value in given.items():
        if not _fits(value, types[option]):
            raise ModelError(
                f"`{option}` of {name} must be {_spoken(types[option])}. "
                f"Received: {option}={value!r}"
            )


def _spoken(wanted: Any) -> str:
    """An annotation in words: int, 'average' or 'max', a list of int, bool or null."""
    if get_origin(wanted) is Literal:
        return " or ".join(map(repr, get_args(wanted)))
    if get_origin(wanted) in (Union, UnionType):
        return " or ".join(map(_spoken, get_args(wanted)))
    if get_origin(wanted) is Sequence:
        return f"a list of {_spoken(get_args(wanted)[0])}"
    return "null" if wanted is type(None) else wanted.__name__


def _fits(value: Any, wanted: Any) -> bool:
    """Whether a value is of the type that a builder annotates its option with."""
    if get_origin(wanted) is Literal:
        return value in get_args(wanted)
    if get_origin(wanted) in (Union, UnionType):
        return any(_fits(value, option) for option in get_args(wanted))
    if get_origin(wanted) is Sequence:
        (item,) = get_args(wanted)
        return isinstance(value, (list, tuple)) and all(_fits(part, item) for part in value)
    if wanted is float:
        return type(value) in (int, float)
    return type(value) is wanted
