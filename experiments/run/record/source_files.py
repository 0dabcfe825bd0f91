"""The source files that affect a run's results, and a digest of each.

The digest covers the syntax tree without docstrings, so comments and docstrings do not change it.
The files of a run are those that the training imports, directly or indirectly, and those of the
chosen architecture, data set and padding modes. Registries find these by name, so no other model,
data set, mode, report or probe is included. `conf` is left out, because its result is the run's
configuration, which identifies the run.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from data import sources
from models.padding import AMOUNTS
from models.padding.modes import ZEROS

ROOT = Path(__file__).resolve().parents[3]
# The modules of the training; their imports are included.
TRAINING = (
    "experiments.run.framework",
    "experiments.run.inputs",
    "experiments.run.evaluation",
    "experiments.run.loop.optimizers",
    "experiments.run.loop.training",
    "data.loading",
)
SIGNATURE = ("experiments.run.inputs", "models.geometry.tracing.signature")
PACKAGES = ("data", "experiments", "models")
SHORT = 12


def of_run(
    architecture: str, source: str, data_name: str, modes: Collection[str]
) -> dict[str, str]:
    """The files of a run and the digest of each.

    Args:
        architecture: a name in `models.registry`.
        source: of the data, a name in `data.sources`.
        data_name: of the data set; a set that the project generates has its own file.
        modes: of padding, names in `models.padding.MODES`.

    Returns:
        Path in the checkout -> twelve hexadecimal digits.
    """
    program = ROOT / "train.py"  # without its imports, which are the whole program
    files = of_modules((*TRAINING, *_chosen(architecture, source, data_name, modes)))
    return {**files, program.name: _read(program)[0]}


def of_model(architecture: str) -> str:
    """The architecture's own file, as `of_run` names it."""
    return f"models/architectures/{architecture}.py"


def of_signature(
    architecture: str, source: str, data_name: str, modes: Collection[str]
) -> dict[str, str]:
    """The files that determine what a network computes, to recognise aliases; as `of_run`."""
    return of_modules((*SIGNATURE, *_chosen(architecture, source, data_name, modes)))


def digest(files: dict[str, str]) -> str:
    """One digest of all files."""
    return _short("".join(f"{path} {own}\n" for path, own in sorted(files.items())))


def of_modules(modules: Iterable[str]) -> dict[str, str]:
    """The files of modules and of everything they import from the project, with digests."""
    found: dict[str, str] = {}
    left = [path for name in modules for path in _files_of(name)]
    while left:
        path = left.pop()
        name = path.relative_to(ROOT).as_posix()
        if name not in found:
            found[name], imported = _read(path)
            left += [file for module in imported for file in _files_of(module)]
    return dict(sorted(found.items()))


def _chosen(architecture: str, source: str, data_name: str, modes: Collection[str]) -> list[str]:
    return [
        f"models.architectures.{architecture}",
        f"data.sources.{sources.MODULES[source]}",
        *[f"data.builders.{data_name}"] * (source == "built"),
        *(f"models.padding.amounts.{name}" for name in AMOUNTS),
        *(f"models.padding.modes.{name}" for name in sorted({ZEROS, *modes})),
    ]


def _files_of(module: str) -> Iterator[Path]:
    """The module's file and those of its packages; nothing for modules outside the project."""
    parts = module.split(".")
    if parts[0] not in PACKAGES:
        return
    for length in range(1, len(parts) + 1):
        place = ROOT.joinpath(*parts[:length])
        for file in (place.with_suffix(".py"), place / "__init__.py"):
            if file.is_file():
                yield file


@functools.cache
def _read(path: Path) -> tuple[str, tuple[str, ...]]:
    """A file's digest, and the modules that it imports, except for the type checker."""
    tree = _Bare().visit(ast.parse(path.read_text()))
    package = path.parent.relative_to(ROOT).parts
    return _short(ast.dump(tree)), tuple(dict.fromkeys(_imports(tree, package)))


def _imports(tree: ast.AST, package: tuple[str, ...]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else ()
            module = ".".join((*above, *filter(None, [node.module])))
            # An imported name may be a module of the package; if it is not, no file has its name.
            yield from (f"{module}.{alias.name}" for alias in node.names)


class _Bare(ast.NodeTransformer):
    """Takes away docstrings, what stands under `if TYPE_CHECKING`, and the options of tests."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_text(body[0]):
            node.body = body[1:]  # type: ignore[attr-defined]
        return super().generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | None:
        return None if ast.unparse(node.test) == "TYPE_CHECKING" else self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        return None if ast.unparse(node.targets[0]) == "TINY" else self.generic_visit(node)


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:SHORT]
