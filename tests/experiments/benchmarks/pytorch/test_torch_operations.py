"""The operations of a step beside PyTorch's."""

import pytest

from experiments.benchmarks.loop import operations

pytest.importorskip("torch")


def test_the_command_writes_its_table(tmp_path):
    arguments = ["--networks", "causal_conv1d", "--batch-sizes", "8", "--rounds", "1"]
    assert operations.main([*arguments, "--steps", "3", "--out", str(tmp_path)]) == 0
    page = (tmp_path / "operations.md").read_text()
    assert "| causal\\_conv1d | 8 | convolutions |" in page
    assert "aten::convolution\\_backward" in page
