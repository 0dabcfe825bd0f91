"""Messages that name a package that is missing or fails to import; this module needs none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import TracebackType

OURS = ("__main__", "conf", "data", "docs", "experiments", "models", "padzoo", "tests", "train")
ALL = "(all that training needs: -e '.[train]')"
# The name under which a package is installed, if it differs from the name of its module.
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
    """The message for an error in the import of a package; None for any other error.

    Example: `line(error)` of a failed `import toml` is "the package toml is missing; install it
    with: pip install -c constraints.txt toml (all that training needs: -e '.[train]')".
    """
    importing = [name for name in _imported(error.__traceback__) if _is_foreign(name)]
    missing = _missing(error)
    if missing is not None:
        needs = [name for name in importing if name != missing][-1:]
        which = "".join(f", which {name} needs," for name in needs)
        command = _command("", missing)
        return f"the package {missing}{which} is missing; install it with: {command} {ALL}"
    name = (error.name or "").split(".")[0] if isinstance(error, ImportError) else ""
    names = [name] if _is_foreign(name) else importing[-1:]
    if name in OURS or not names:
        return None
    told = " ".join(str(error).split())
    command = _command("--force-reinstall ", names[0])
    return f"the package {names[0]} cannot be imported ({told}); reinstall it with: {command}"


def tell_missing() -> None:
    """Make a program that ends in such an error print one line and exit with code 2.

    This is for imports that happen before a program can report errors itself.
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
    """The missing package, as named by the error or by its cause."""
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
    """The packages that were being imported, the outermost first."""
    while at is not None:
        if at.tb_frame.f_code.co_name == "<module>":
            yield str(at.tb_frame.f_globals.get("__name__")).split(".")[0]
        at = at.tb_next
