"""The layout: who may import whom, how full a folder is, what files are called.

Imports are read from the sources: those at the top, inside functions and for the type checker.
"""

import ast
import itertools
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("models", "data", "conf", "experiments", "docs")
# From below: a folder imports from itself, from what it lies in, and from those before it.
ORDER = (
    "models/messages.py",
    "models/registry.py",
    "models/padding",
    "models/layers",
    "models/geometry",
    "models",
    "models/architectures",
    "data/builders",
    "data/sources",
    "data",
    "conf",
    "experiments/terminal.py",
    "experiments/run",
    "experiments/study",
    "experiments/report",
    "experiments/probes",
    "experiments/geometry",
    "experiments/session.py",
    "experiments",
    "train.py",
    "experiments/benchmarks",
    "docs",
)
# What the parts of a package stand on lies at its root, as data/config.py below data/sources.
BASES = {"data": ("config.py", "transforms.py", "types.py", "loading.py"), "models": ("bind.py",)}
REGISTRIES = (
    *("models/architectures", "models/padding/modes", "models/padding/amounts"),
    *("data/sources", "data/builders", "experiments/probes"),
    "experiments/benchmarks/gpu/sections",
    *(f"conf/{group.name}" for group in (ROOT / "conf").iterdir() if group.is_dir()),
)
MOST = 10


def modules():
    """Module -> file, of the whole project but its tests."""
    files = [ROOT / "train.py", *(f for p in PACKAGES for f in (ROOT / p).rglob("*.py"))]
    named = {}
    for file in files:
        parts = file.relative_to(ROOT).with_suffix("").parts
        named[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return named


MODULES = modules()


def imports(file):
    """The project's modules that a file imports, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = (
                file.parent.relative_to(ROOT).parts[: 1 - node.level or None] if node.level else ()
            )
            module = ".".join((*above, *filter(None, [node.module])))
            names = [f"{module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            while name and name not in MODULES:
                name = name.rpartition(".")[0]
            if name:
                found.add(name)
    return found


IMPORTS = {name: imports(file) - {name} for name, file in MODULES.items()}


def place(module):
    """Where a module stands in the order: the longest entry that it lies in."""
    path = MODULES[module].relative_to(ROOT).as_posix()
    return max((o for o in ORDER if path == o or path.startswith(f"{o}/")), key=len)


def test_no_file_imports_itself_by_way_of_others():
    try:
        TopologicalSorter(IMPORTS).prepare()
    except CycleError as circle:
        pytest.fail(" -> ".join(circle.args[1]))


def test_no_folder_imports_from_one_that_stands_above_it():
    wrong = []
    for module, imported in IMPORTS.items():
        for other in imported:
            here, there = place(module), place(other)
            file = MODULES[other].relative_to(ROOT)
            base = file.name in BASES.get(str(file.parent), ()) or file.name == "__init__.py"
            if ORDER.index(there) > ORDER.index(here) and not (base and here.startswith(there)):
                wrong.append(f"{MODULES[module].relative_to(ROOT)} imports {file}")
    assert wrong == []


def test_a_folder_has_at_most_ten_entries_unless_it_is_a_registry():
    folders = {file.parent for file in MODULES.values()} - {ROOT}
    counted = {}
    for folder in folders:
        name = folder.relative_to(ROOT).as_posix()
        if name in REGISTRIES or name == "docs":
            continue
        entries = [
            e.name
            for e in folder.iterdir()
            if e.name not in ("__init__.py", "__pycache__", "py.typed", "results")
            and (name != "conf" or not e.is_dir())
        ]
        counted[name] = len(entries)
    assert {name: n for name, n in counted.items() if n > MOST} == {}


def test_no_two_files_have_one_name():
    names = Counter(f.stem for f in MODULES.values() if f.stem not in ("__init__", "__main__"))
    assert [name for name, n in names.items() if n > 1] == []


def test_no_two_files_have_names_that_differ_in_their_ending():
    apart = ("__init__", "__main__", "train")  # the program itself beside its loop, `training`
    names = sorted(f.stem for f in MODULES.values() if f.stem not in apart)
    alike = [
        (a, b)
        for a, b in itertools.combinations(names, 2)
        if b.removeprefix(a) in ("s", "ing", "ed") or a == f"{b}s"
    ]
    assert alike == []


def test_models_and_data_know_nothing_of_what_stands_on_them():
    for module, imported in IMPORTS.items():
        if module.split(".")[0] in ("models", "data"):
            assert not {
                other for other in imported if other.split(".")[0] in ("conf", "experiments")
            }


@pytest.mark.parametrize("folder", ["models/padding"])
def test_a_pure_folder_imports_no_framework(folder):
    for file in (ROOT / folder).rglob("*.py"):
        names = {
            name.split(".")[0]
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
            )
        }
        assert not names & {"keras", "tensorflow", "jax"}
