"""What is found of a machine without a GPU."""

import pytest

from conf import device, schema


@pytest.fixture
def cpu(tmp_path, monkeypatch):
    """`cpu("flags")` is the device of a machine whose processor has these flags."""

    def find(flags):
        text = f"processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: {flags}\n\n"
        (tmp_path / "cpuinfo").write_text(2 * text)
        monkeypatch.setattr(device, "CPUINFO", tmp_path / "cpuinfo")
        monkeypatch.setattr(device, "find", lambda backend, wanted="auto": device._cpu())
        return device.find("tensorflow")

    return find


@pytest.mark.parametrize(
    ("flags", "bfloat16"),
    [
        ("fpu avx512f avx512_bf16 vme", True),
        ("amx_bf16", True),
        ("fpu avx512f avx512_bf161", False),
    ],
)
def test_a_cpu_that_computes_bfloat16_is_known(cpu, flags, bfloat16):
    found = cpu(flags)
    assert (found.kind, found.bfloat16) == ("cpu", bfloat16)
    assert found.name == "Some CPU"


@pytest.mark.parametrize(
    ("flags", "onednn"),
    [("sse4_2 avx avx2 fma", True), ("avx2 avx512f", True), ("sse4_2 avx", False), ("neon", False)],
)
def test_onednn_is_taken_on_x86_with_avx2_and_more(cpu, flags, onednn):
    cpu(flags)
    assert device.processor().onednn is onednn


def test_it_trains_in_float32_all_the_same(cpu):
    assert cpu("avx512_bf16").bfloat16
    names = ("model=small_cnn", "data=placed_digits")
    values = {group: {"name": name} for group, name in (n.split("=") for n in names)}
    values |= {"padding": {"amount": "same", "mode": "zeros"}, "trainer": {}}
    values |= {"optimizer": {"name": "sgd"}, "schedule": {"name": "constant"}}
    values["data"]["source"] = "built"
    assert schema.from_dict(values).trainer.precision == "float32"


@pytest.fixture
def gpu(tmp_path, monkeypatch):
    """A machine with a GPU, whose `nvidia-smi` is a script, and a backend that has CUDA."""
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho 'Some GPU, 9.0'\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(device, "DRIVER", tmp_path)
    monkeypatch.setattr(device, "_has_cuda", lambda backend: backend == "jax")
    monkeypatch.delenv(device.VISIBLE, raising=False)
    device._gpu.cache_clear()
    yield
    device._gpu.cache_clear()


def test_the_gpu_is_taken_unless_the_cpu_is_asked_for(gpu, monkeypatch):
    assert device.find("jax") == device.Device("gpu", "Some GPU", bfloat16=True)
    assert device.why_no_gpu("jax") is None
    assert device.find("jax", "cpu").kind == "cpu"
    monkeypatch.setenv(device.VISIBLE, "-1")
    assert device.find("jax").kind == "cpu"
    assert device.why_no_gpu("jax") == "CUDA_VISIBLE_DEVICES=-1 hides every GPU"


def test_a_backend_without_cuda_says_what_to_install(gpu):
    assert device.find("tensorflow").kind == "cpu"
    assert device.why_no_gpu("tensorflow") == (
        "tensorflow is installed without CUDA; install it with: "
        "pip install -c constraints.txt -e '.[train,gpu]'"
    )


def test_where_there_is_no_gpu_that_is_why(tmp_path, monkeypatch):
    monkeypatch.setattr(device, "DRIVER", tmp_path / "nothing")
    monkeypatch.delenv(device.VISIBLE, raising=False)
    device._gpu.cache_clear()
    assert device.why_no_gpu("jax").startswith("no NVIDIA GPU was found")


def test_a_machine_that_tells_nothing_has_a_name(tmp_path, monkeypatch):
    monkeypatch.setattr(device, "CPUINFO", tmp_path / "nothing")
    assert device._cpu().name[0].isalnum()
    assert not device._cpu().bfloat16


def test_jax_is_the_default_only_where_it_is_alone(monkeypatch):
    for there, default in (
        ({"jax"}, "jax"),
        ({"jax", "tensorflow"}, "tensorflow"),
        (set(), "tensorflow"),
    ):
        monkeypatch.setattr(device, "installed", there.__contains__)
        assert device.default_backend() == default
