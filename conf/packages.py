"""Packages that are missing or fail to import, told by name; itself in need of none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import TracebackType

OURS = ("__main__", "conf", "data", "docs", "experiments", "models", "tests", "train")
# What a package is called where it is installed from, if not as it is imported.
INSTALLED_AS = {
    "PIL": "pillow",
    "absl": "absl-py",
    "array_record": "array-record",
    "google": "protobuf",
    "hydra": "hydra-core",
    "sklearn": "scikit-learn",
    "tensorflow_datasets": "tensorflow-datasets",
    "yaml": "pyyaml",
}


def line(error: BaseException) -> str | None:
    """The line for an error that comes from a package's import; None for any other error.

    Example: `line(error)` of a failed `import toml` is "the package toml is missing; install it
    with: pip install -c constraints.txt toml".
    """
    importing = [name for name in _imported(error.__traceback__) if _is_foreign(name)]
    missing = _missing(error)
    if missing is not None:
        needs = [name for name in importing if name != missing][-1:]
        which = "".join(f", which {name} needs," for name in needs)
        return f"the package {missing}{which} is missing; install it with: {_command('', missing)}"
    name = (error.name or "").split(".")[0] if isinstance(error, ImportError) else ""
    names = [name] if _is_foreign(name) else importing[-1:]
    if name in OURS or not names:
        return None
    told = " ".join(str(error).split())
    command = _command("--force-reinstall ", names[0])
    return f"the package {names[0]} cannot be imported ({told}); install it anew with: {command}"


def tell_missing() -> None:
    """Let a program that ends in such an error say so in one line; its exit code is 2.

    That is for what is imported before a program can tell an error in its own way.
    """
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
        told = line(error) if isinstance(error, Exception) else None
        if told is None:
            before(kind, error, at)
            return
        sys.stderr.write(f"error: {told}\n")
        raise SystemExit(2)

    sys.excepthook = hook


def _missing(error: BaseException) -> str | None:
    """The package that is not there, which the error or what it was raised from names."""
    at: BaseException | None = error
    while isinstance(at, ImportError):
        name = (at.name or "").split(".")[0]
        if isinstance(at, ModuleNotFoundError) and _is_foreign(name):
            return name
        at = at.__cause__ or at.__context__
    return None


def _command(option: str, name: str) -> str:
    return f"pip install {option}-c constraints.txt {INSTALLED_AS.get(name, name)}"


def _is_foreign(name: str) -> bool:
    return bool(name) and name not in OURS and name not in sys.stdlib_module_names


def _imported(at: TracebackType | None) -> Iterator[str]:
    """The packages whose modules were being imported, the outermost first."""
    while at is not None:
        if at.tb_frame.f_code.co_name == "<module>":
            yield str(at.tb_frame.f_globals.get("__name__")).split(".")[0]
        at = at.tb_next
