"""A registry of files: one that brings no object stops no other, and is told when asked for."""

import sys

import pytest

from models.padding.checks import PaddingError, check_name, objects_in
from models.padding.definitions import IndexRule

FILES = {
    "good": "from models.padding.definitions import IndexRule\nMODE = IndexRule()",
    "empty": "'''It sets nothing.'''",
    "a_class": "from models.padding.definitions import IndexRule\nMODE = IndexRule",
    "broken": "def source(position, size)\n    return position",
    "raises": "import there_is_no_such_module",
}


@pytest.fixture
def registry(tmp_path, monkeypatch):
    folder = tmp_path / "mine" / "modes"
    folder.mkdir(parents=True)
    for name, code in FILES.items():
        (folder / f"{name}.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield objects_in("mine.modes", [str(folder)], "MODE", (IndexRule,))
    for module in [name for name in sys.modules if name.split(".")[0] == "mine"]:
        del sys.modules[module]


def test_a_file_that_brings_an_object_is_there(registry):
    assert list(registry) == ["good"]
    check_name("mode", "good", registry)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("empty", r"^mine/modes/empty.py must set MODE = IndexRule\(…\)$"),
        ("a_class", r"^mine/modes/a_class.py must set MODE = IndexRule\(…\)$"),
        ("broken", r"^mine/modes/broken.py, line 1: expected ':'$"),
        ("raises", r"^mine/modes/raises.py: ModuleNotFoundError: No module named"),
        ("goood", "unknown mode 'goood': did you mean good"),
    ],
)
def test_one_that_brings_none_is_told_when_it_is_asked_for(registry, name, message):
    with pytest.raises(PaddingError, match=message) as caught:
        check_name("mode", name, registry)
    assert "\n" not in str(caught.value)
