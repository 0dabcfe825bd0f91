"""How the contract tells a fault: its message alone, without the code of the check."""

import pytest


def fault(message: str) -> Exception:
    """The failure to raise; the message says what to write in which file."""
    return pytest.fail.Exception(message, pytrace=False)
