"""Which architectures there are, and what each takes. Importing this loads no framework."""

from __future__ import annotations

import ast
import contextlib
import functools
import importlib
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from .messages import unknown

Kind = Literal["image", "sequence"]
Gives = Literal["logits", "image"]

FOLDER = Path(__file__).parent / "architectures"
POSITIONAL = ("nn", "input_shape", "num_classes")  # what every `build` takes, before its options
PLAIN = (int, float, bool, str, NoneType)
SPATIAL_RANK: dict[Kind, int] = {"sequence": 1, "image": 2}
LOGITS: Gives = "logits"
IMAGE: Gives = "image"


class ModelError(ValueError):
    """A model that does not exist or cannot be built as asked, in one plain line."""


class DoesNotFitError(ModelError):
    """A good model that does not take this data or this padding."""


def constants(folder: Path, name: str) -> dict[str, Any]:
    """Return what the modules of a folder set a constant to, by module, without importing one.

    Args:
        folder: of modules; one that does not set the constant, or that cannot be read, is left out:
            `why_not` says why.
        name: of the constant, which is set to a literal at the module's top.
    """
    found = {}
    for file in sorted(folder.glob("*.py")):
        with contextlib.suppress(SyntaxError, KeyError, ValueError):
            found[file.stem] = constant(file, name)
    return found


def constant(file: Path, name: str) -> Any:
    """Return what a module sets a constant to; KeyError if it does not, ValueError if no literal.

    SyntaxError if the file is none of Python.
    """
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.literal_eval(node.value)
    raise KeyError(name)


def literal_options(file: Path) -> dict[str, Any]:
    """Return the options of a module's `build` with their defaults, without importing the module.

    An option whose default is no literal, and a file that cannot be read, are left out.
    """
    found = {}
    with contextlib.suppress(SyntaxError):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name == "build":
                options = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
                for option, default in options:
                    with contextlib.suppress(ValueError):
                        found[option.arg] = ast.literal_eval(default) if default else None
    return found


def why_not(file: Path, name: str) -> str | None:
    """Return why a module does not set a constant, in one plain line; None if it does.

    Example: `why_not(Path("models/architectures/my_net.py"), "KIND")` is
    "models/architectures/my_net.py must set KIND to a literal at its top".
    """
    try:
        constant(file, name)
    except SyntaxError as error:
        return f"{shown(file)}, line {error.lineno}: {error.msg}"
    except (KeyError, ValueError):
        return f"{shown(file)} must set {name} to a literal at its top"
    return None


def where(name: str) -> str:
    """Return the file that a model of this name has: models/architectures/my_net.py."""
    return shown(FOLDER / f"{name}.py")


def shown(file: Path) -> str:
    """Return a module's path from the folder that its package lies in."""
    return file.relative_to(file.parents[2]).as_posix()


@functools.cache
def kinds() -> dict[str, Kind]:
    """Return what each architecture takes: the `KIND` that its file in `architectures` sets."""
    return constants(FOLDER, "KIND")


def names() -> list[str]:
    """Return the names of all models.

    Example:
        >>> "small_cnn" in padzoo.names()
        True
    """
    return list(kinds())


def kind(name: str) -> Kind:
    """Return what a model takes, `"image"` or `"sequence"`; raises ModelError if unknown."""
    if (found := kinds().get(name)) in SPATIAL_RANK:
        return found
    file = FOLDER / f"{name}.py"
    if name.isidentifier() and file.is_file():
        allowed = "KIND is 'image' or 'sequence'"
        raise ModelError(f"{why_not(file, 'KIND') or shown(file)}: {allowed}")
    raise ModelError(unknown("model", name, kinds()))


def gives(name: str) -> Gives:
    """Return what a model gives: `"logits"`, or `"image"`, a map of channels for each pixel.

    It is the `GIVES` that the model's file sets, where it sets one.

    Raises:
        ModelError: if the model is unknown, or `GIVES` is none of the two.

    Example:
        >>> padzoo.gives("unet")
        'image'
    """
    kind(name)
    file = FOLDER / f"{name}.py"
    try:
        found = constant(file, "GIVES")
    except KeyError:
        return LOGITS
    except ValueError:
        found = None
    if found not in get_args(Gives):
        raise ModelError(f"{shown(file)}: GIVES is 'image' or 'logits', or is left out for logits")
    return found


def options(name: str) -> dict[str, Any]:
    """Return a model's options with their defaults; raises ModelError if it is unknown.

    Example:
        >>> padzoo.options("small_cnn")["batch_norm"]
        True
    """
    return {p.name: p.default for p in _parameters(name) if p.kind is p.KEYWORD_ONLY}


def tiny(name: str) -> dict[str, Any]:
    """Return the options of a model's smallest useful form, as for tests: its file's `TINY`.

    Raises:
        ModelError: if the model is unknown, its file sets none, or it holds what is no option.
    """
    allowed, file = options(name), FOLDER / f"{name}.py"
    if reason := why_not(file, "TINY"):
        raise ModelError(
            f"{reason}: the options of a form that trains in a second, such as "
            f"TINY = {{{str(next(iter(allowed), 'width'))!r}: …}}, or {{}}"
        )
    found: dict[str, Any] = constant(file, "TINY")
    for option in found:
        if option not in allowed:
            raise ModelError(unknown(f"option in TINY of {where(name)}", option, allowed))
    return found


def option_types(name: str) -> dict[str, Any]:
    """Return the annotations of a model's options.

    Raises:
        ModelError: if the model is unknown, or its `build` is not
            `build(nn, input_shape, num_classes, *, …)` with a type and a default for each option.
    """
    file = where(name)
    positional = tuple(p.name for p in _parameters(name) if p.kind is p.POSITIONAL_OR_KEYWORD)
    if positional != POSITIONAL:
        raise ModelError(
            f"{file}: build takes {', '.join(POSITIONAL)}, and the options after a `*`. "
            f"Received: build({', '.join(positional)}, …)"
        )
    try:
        types = get_type_hints(builder(name))
    except NameError as error:
        raise ModelError(f"{file}: an annotation of build cannot be read: {error}") from None
    for option, default in options(name).items():
        if option not in types or not _can_be_checked(types[option]):
            example = type(default).__name__ if type(default) in PLAIN else "int"
            raise ModelError(
                f"{file}: option `{option}` of build needs a type, such as {option}: {example}; "
                "allowed: int, float, bool, str, None, Literal, Sequence, and these joined by |"
            )
        if default is inspect.Parameter.empty:
            raise ModelError(f"{file}: option `{option}` of build needs a default")
    return {option: types[option] for option in options(name)}


def _parameters(name: str) -> list[inspect.Parameter]:
    return list(inspect.signature(builder(name)).parameters.values())


def _can_be_checked(wanted: Any) -> bool:
    """Whether `_fits` knows an annotation."""
    if get_origin(wanted) in (Union, UnionType, Sequence):
        return all(map(_can_be_checked, get_args(wanted)))
    return get_origin(wanted) is Literal or wanted in PLAIN


def builder(name: str) -> Callable[..., Any]:
    """Return a model's `build`; raises ModelError if it is unknown."""
    kind(name)
    try:
        module = importlib.import_module(f".architectures.{name}", __package__)
    except ImportError as error:
        if (error.name or "").split(".")[0] != __package__:
            raise  # a package that is missing is told by its name
        raise ModelError(f"{place(name, error)}: {error}") from error
    except Exception as error:
        raise ModelError(f"{place(name, error)}: {type(error).__name__}: {error}") from error
    if not callable(build := getattr(module, "build", None)):
        raise ModelError(
            f"{where(name)} has no function build({', '.join(POSITIONAL)}, *, …) -> keras.Model"
        )
    return build


def place(name: str, error: Exception) -> str:
    """Return where in a model's file an error came up: models/architectures/my_net.py, line 12."""
    file, at, line = FOLDER / f"{name}.py", error.__traceback__, None
    while at is not None:
        if Path(at.tb_frame.f_code.co_filename) == file:
            line = at.tb_lineno
        at = at.tb_next
    return where(name) + (f", line {line}" if line else "")


def check_kind(name: str, input_shape: tuple[int | None, ...]) -> None:
    """Raise DoesNotFitError unless the model takes examples of this shape."""
    rank = len(input_shape) - 1
    if SPATIAL_RANK[kind(name)] == rank:
        return
    wanted = {
        "image": "an image, (height, width, channels)",
        "sequence": "a sequence, (steps, channels)",
    }
    fitting = [
        other
        for other, k in kinds().items()
        if SPATIAL_RANK[k] == rank and gives(other) == gives(name)
    ]
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
    types = option_types(name)
    for option, value in given.items():
        if not _fits(value, types[option]):
            raise ModelError(
                f"`{option}` of {name} must be {_spoken(types[option])}. "
                f"Received: {option}={value!r}"
            )


def _spoken(wanted: Any) -> str:
    """An annotation in words: int, a finite float, 'average' or 'max', a list of int."""
    if get_origin(wanted) is Literal:
        return " or ".join(map(repr, get_args(wanted)))
    if get_origin(wanted) in (Union, UnionType):
        return " or ".join(map(_spoken, get_args(wanted)))
    if get_origin(wanted) is Sequence:
        return f"a list of {_spoken(get_args(wanted)[0])}"
    if wanted is float:
        return "a finite float"
    return "None" if wanted is type(None) else wanted.__name__


def _fits(value: Any, wanted: Any) -> bool:
    """Whether a value is of the type that a builder annotates its option with."""
    if get_origin(wanted) is Literal:
        return any(type(value) is type(one) and value == one for one in get_args(wanted))
    if get_origin(wanted) in (Union, UnionType):
        return any(_fits(value, option) for option in get_args(wanted))
    if get_origin(wanted) is Sequence:
        (item,) = get_args(wanted)
        return isinstance(value, (list, tuple)) and all(_fits(part, item) for part in value)
    if wanted is float:
        return type(value) in (int, float) and math.isfinite(value)
    return type(value) is wanted
