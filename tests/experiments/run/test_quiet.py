import contextlib
import os

from experiments.run.quiet import quiet


def test_native_noise_is_held_back_unless_the_block_fails(capfd):
    with quiet():
        os.write(2, b"noise")
    assert capfd.readouterr().err == ""
    with contextlib.suppress(RuntimeError), quiet():
        os.write(2, b"the reason")
        raise RuntimeError
    assert "the reason" in capfd.readouterr().err
    with contextlib.suppress(ImportError), quiet():
        os.write(2, b"noise")
        raise ImportError
    assert capfd.readouterr().err == ""
