"""The kit for a GPU: its command line, its budget, what fails, its pages, and all of it at once."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conf import presets
from conf.commandline import ROOT
from experiments.benchmarks.gpu import (
    __main__ as kit,
)
from experiments.benchmarks.gpu import (
    budget,
    cpu_reference,
    gpu_page,
    gpu_record,
    processes,
    sections,
)
from experiments.benchmarks.gpu.gpu_record import FAILED, MEASURED, SKIPPED, Record
from experiments.benchmarks.gpu.sections import gpu_mission, gpu_seeds
from experiments.benchmarks.gpu.setting import Setting, rehearsal
from experiments.benchmarks.options import RESULTS
from experiments.benchmarks.padding.padding_cases import HALVED_FROM_28
from experiments.run.record import event_files, files
from models.padding import MODES
from models.padding.planes import fits

EIGHT = ["start", "mission", "cifar", "vgg", "loop", "padding", "seeds", "study"]


@pytest.fixture
def on_the_cpu(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    monkeypatch.delenv("CIFAR10", raising=False)


def plan(folder, *names, minutes=9.0, tiny=True):
    return budget.Plan(names, minutes, folder, tiny, "demo")


def read(folder, name):
    return json.loads((folder / f"{name}.json").read_text())


def test_the_sections_are_the_folders_files_in_the_order_of_their_worth():
    assert sections.by_worth() == EIGHT
    assert sections.names() == [*EIGHT, "loop-all", "padding-all"]
    for name in sections.names():
        about = sections.section(name)
        assert about.TITLE and about.ASKS.endswith(".") and about.SECONDS.least > 0
        assert about.SECONDS.most >= about.SECONDS.least


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["strat", "--tiny"], "start"),
        (["--minutes", "0", "--tiny"], "above 0"),
        (["--minutes", "nan", "--tiny"], "above 0"),
        (["--minutes", "soon", "--tiny"], "above 0"),
        (["--sweep", "even_kernel", "--tiny"], "even_kernels"),
        (["--tini"], "--tini"),
        ([], "--tiny rehearses on the CPU"),
        (["padding", "study"], "--tiny rehearses on the CPU"),
    ],
)
def test_bad_input_and_a_machine_without_a_gpu_are_one_line(
    arguments, named, tmp_path, capsys, on_the_cpu
):
    try:
        code = kit.main([*arguments, "--out", str(tmp_path / "out")])
    except SystemExit as stopped:
        code = stopped.code
    said = capsys.readouterr()
    (line,) = said.err.splitlines()
    assert code == 2 and line.startswith("error: ") and named in line and not said.out
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("inside", ["", "deeper/still"])
def test_a_folder_that_cannot_be_made_is_one_line(inside, tmp_path, capsys, on_the_cpu):
    (tmp_path / "file").write_text("kept")
    assert kit.main(["start", "--tiny", "--out", str(tmp_path / "file" / inside)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: --out ") and str(tmp_path / "file") in line
    assert (tmp_path / "file").read_text() == "kept"


def test_a_rehearsal_does_not_replace_what_a_gpu_gave(tmp_path, capsys, on_the_cpu):
    measured(tmp_path, "start")
    before = (tmp_path / "start.json").read_text()
    assert kit.main(["start", "--tiny", "--out", str(tmp_path)]) == 2
    assert "needs another folder" in capsys.readouterr().err
    assert (tmp_path / "start.json").read_text() == before


def test_what_the_time_left_does_not_allow_is_skipped_with_a_word(tmp_path, capsys, on_the_cpu):
    found = budget.carry_out(plan(tmp_path, "padding", "seeds", minutes=0.01))
    assert found == {"padding": SKIPPED, "seeds": SKIPPED}
    assert "padding      skipped: it takes at least" in capsys.readouterr().out
    assert read(tmp_path, "padding")["why"].startswith("it takes at least")
    assert "skipped: it takes" in (tmp_path / "padding.md").read_text()


def test_a_section_that_fails_says_why_and_stops_no_other(tmp_path, capsys, on_the_cpu):
    # As on a GPU, but for the GPU: cifar10 is not there.
    found = budget.carry_out(plan(tmp_path, "cifar", tiny=False))
    assert found == {"cifar": FAILED}
    content = read(tmp_path, "cifar")
    assert "set CIFAR10 to an npz file of cifar10" in content["why"]
    assert "Traceback" not in content["why"] and content["versions"]["jax"] and content["date"]
    assert "failed: exit code 1" in (tmp_path / "cifar.md").read_text()
    assert not list(tmp_path.glob("*unfinished*"))
    later = budget.carry_out(plan(tmp_path, "cifar", "study", minutes=0.01))
    assert later == {"cifar": SKIPPED, "study": SKIPPED}


@pytest.mark.parametrize("status", [FAILED, SKIPPED])
def test_what_was_measured_outlives_a_failure(status, tmp_path):
    measured(tmp_path, "loop")
    before = (tmp_path / "loop.json").read_text()
    assert not gpu_record.without_result(tmp_path, "loop", status, "no reason", tiny=True)
    assert (tmp_path / "loop.json").read_text() == before


def test_a_section_that_is_stopped_keeps_its_rows(tmp_path):
    record = Record(tmp_path, "padding", tiny=True, command="a command")
    record.row("Ratios", mode="reflect", ratio=1.25)
    assert gpu_record.without_result(tmp_path, "padding", "stopped", "too long", tiny=True)
    assert read(tmp_path, "padding")["tables"] == {"Ratios": [{"mode": "reflect", "ratio": 1.25}]}
    page = (tmp_path / "padding.md").read_text()
    assert "stopped: too long" in page and "| reflect | 1.25 |" in page


def test_a_process_over_its_time_ends_with_all_that_it_started(tmp_path):
    script = "sleep 60 & echo $! > child; trap '' TERM; echo waiting; wait; sleep 60"
    begun = time.monotonic()
    log = tmp_path / "log"
    script = f"cd {tmp_path}; {script}"
    command = ["bash", "-c", script]
    ended = processes.run(command, seconds=1, log=log, group=True, patience=0.5)
    assert ended.code is None and time.monotonic() - begun < 30
    assert ended.why().startswith("stopped after ") and ended.why().endswith("waiting")
    child = int((tmp_path / "child").read_text())
    for _ in range(100):  # the system reaps it when it likes
        if not os.path.exists(f"/proc/{child}") or " Z " in _stat(child):
            return
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    pytest.fail("a process that it had started lived on")


def _stat(process):
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read()
    except OSError:
        return " Z "


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_sections_that_run_and_starts_no_other(number, tmp_path):
    command = [sys.executable, "-m", "experiments.benchmarks.gpu", "mission", "cifar", "start"]
    command += ["--tiny", "--minutes", "40", "--out", str(tmp_path)]
    kit = subprocess.Popen(
        ["sh", "-c", 'trap "" INT; exec "$@"', "as a script's background job", *command],
        cwd=ROOT.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        patience = time.monotonic() + 300  # other work may use the cores
        while len(list(tmp_path.glob("*.log"))) < 2:
            assert kit.poll() is None and time.monotonic() < patience
            time.sleep(0.05)
        kit.send_signal(number)
        _, said = kit.communicate(timeout=300)
    finally:
        kit.kill()
    assert (kit.returncode, said.decode()) == (130, "error: interrupted\n")
    assert {log.stem for log in tmp_path.glob("*.log")} == {"mission", "cifar"}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            assert str(tmp_path).encode() not in path.read_bytes()


def test_how_a_process_ended_is_told_in_a_line(tmp_path):
    def end(script):
        ended = processes.run(["bash", "-c", script], seconds=20, log=tmp_path / "log")
        return ended.why()

    assert end("echo first; echo out of memory >&2; exit 3") == "exit code 3: out of memory"
    assert end("kill -9 $$") == "ended by SIGKILL: it wrote nothing"
    module = "experiments.benchmarks.gpu.sections"
    with pytest.raises(RuntimeError, match="no answer"):
        processes.ask(module + ".gpu_start", {}, seconds=60, log=tmp_path / "log")


@pytest.mark.parametrize(
    "text",
    [
        '{"seconds": 1.5}',
        'a warning {of braces}\n{"seconds": 1.5}\nanother, later {one}\n{not json',
        '{"seconds": 9}\n{\n  "seconds": 1.5,\n  "in": {\n    "a": 1\n  }\n}\n',
    ],
)
def test_an_answer_is_found_among_what_libraries_write(text, tmp_path):
    (tmp_path / "log").write_text(text)
    assert processes.answer(tmp_path / "log")["seconds"] == 1.5


def measured(folder, name):
    """A section's files as a GPU would leave them."""
    record = Record(folder, name, tiny=False, command="a command")
    on_it = {"device_kind": "gpu", "device": "NVIDIA H100", "driver": "580.1", "memory": "80 GiB"}
    record.content |= on_it
    record.row("Table", what="a thing", value=1234.5, share=0.5, n=3, none=None)
    record.say(n="7 rounds", summary="0.61 of the peak")
    record.finish()


def test_a_sections_page_names_all_that_it_takes_to_repeat_it(tmp_path):
    measured(tmp_path, "vgg")
    page, content = (tmp_path / "vgg.md").read_text(), read(tmp_path, "vgg")
    for told in ("NVIDIA H100, driver 580.1, 80 GiB", "n: 7 rounds", content["date"], "minutes: "):
        assert told in page
    assert content["sources"] in page and f"jax {content['versions']['jax']}" in page
    assert "| a thing | 1,234 | 0.5 | 3 | – |" in page and "Goal: at least 50 %" in page


def test_the_overview_has_a_line_a_section_and_counts_no_rehearsal(tmp_path):
    measured(tmp_path, "vgg")
    record = Record(tmp_path, "loop", tiny=True, command="a command")
    record.say(n="2", summary="nothing")
    record.finish()
    lines = [line for line in gpu_page.overview(tmp_path).splitlines() if line.startswith("| ")]
    assert len(lines) == 1 + len(sections.names())
    (vgg,) = [line for line in lines if "[vgg](vgg.md)" in line]
    assert "0.61 of the peak | NVIDIA H100 | 7 rounds |" in vgg
    assert sum(gpu_page.NOT_YET in line for line in lines) == len(sections.names()) - 1
    assert gpu_page.main([str(tmp_path)]) == 0
    assert (tmp_path / "README.md").read_text() == gpu_page.overview(tmp_path)


def test_the_committed_page_is_what_the_committed_files_say():
    assert (RESULTS / "gpu" / "README.md").read_text() == gpu_page.overview(RESULTS / "gpu")


def test_the_committed_reference_is_of_the_cells_and_seeds_that_are_compared():
    found = files.read_json(RESULTS / "gpu" / gpu_page.REFERENCE)
    for name, cell in found["cells"].items():
        assert cell["overrides"] == list(cpu_reference.CELLS[name])
        assert sorted(cell["accuracy"]) == [str(seed) for seed in cpu_reference.SEEDS]
    assert cpu_reference.read() == found["cells"]


@pytest.mark.slow
def test_the_reference_is_trained_seed_by_seed_and_stands_on_the_page(tmp_path, capsys):
    tiny = ["model.channels=4", "model.levels=1", "data.examples=100", "trainer.epochs=1"]
    arguments = ["--cells", "causal", "--out", str(tmp_path), "--set", *tiny]
    assert cpu_reference.main(arguments) == 0
    found = files.read_json(tmp_path / gpu_page.REFERENCE)
    (cell,) = found["cells"].values()
    assert sorted(cell["accuracy"]) == ["0", "1", "2", "3", "4"] and cell["fingerprint"]
    assert all(0 < share < 1 for share in cell["accuracy"].values())
    assert cell["overrides"] == [*cpu_reference.CELLS["causal"], *tiny]
    page = gpu_page.overview(tmp_path)
    assert f"- causal: {100 * cell['accuracy']['0']:.2f}, " in page
    bad = ["--cells", "causal", "--out", str(tmp_path), "--set", "trainer.epoch=1"]
    assert cpu_reference.main(bad) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: causal: exit code 2") and "trainer.epochs" in line
    assert files.read_json(tmp_path / gpu_page.REFERENCE) == found


def test_a_reference_of_an_unknown_cell_is_refused(capsys):
    with pytest.raises(SystemExit) as stopped:
        cpu_reference.main(["--cells", "causl"])
    (line,) = capsys.readouterr().err.splitlines()
    assert stopped.value.code == 2 and "causal" in line


def test_event_files_without_what_they_should_hold_are_told(tmp_path):
    with pytest.raises(RuntimeError, match="holds no event file"):
        gpu_mission.accuracy_by_padding(tmp_path)
    event_files.EventFile(tmp_path).close()
    with pytest.raises(RuntimeError, match="lacks the padding or the test accuracy"):
        gpu_mission.accuracy_by_padding(tmp_path)


def test_what_there_is_no_time_for_is_named(tmp_path):
    record = Record(tmp_path, "mission", tiny=True, command="")
    setting = Setting(record, tmp_path, tmp_path, time.monotonic() + 5, tiny=True)
    assert setting.enough(1, "a thing")
    assert not setting.enough(60, "five seeds")
    assert record.content["notes"] == ["Skipped for lack of time: five seeds (60 s; 5 s left)."]


def test_padding_measures_every_mode_in_both_networks_and_the_others_apart():
    padding = sections.section("padding")
    small, vgg = padding.networks(padding.OTHERS)
    assert (small.kind, vgg.kind) == ("small_cnn", "vgg16") and not vgg.options
    for case, maps in ((small, HALVED_FROM_28), (vgg, ())):
        taken = {mode for mode in MODES if all(fits(sizes, [mode]) for sizes in maps)}
        assert {v.padding.mode for v in case.variants} == taken
    assert {case.kind for case in padding.others()} == {"causal_conv1d", "inception"}
    assert {case.reference.padding.amount for case in padding.others()} == {"same", "causal"}


@pytest.mark.slow
def test_a_stopped_sweep_goes_on_the_next_time(tmp_path, monkeypatch):
    for name, value in rehearsal().items():
        monkeypatch.setenv(name, value)
    record = Record(tmp_path, "study", tiny=True, command="")
    setting = Setting(record, tmp_path, tmp_path / "work", time.monotonic() + 900, True, "demo")
    study = sections.section("study")
    wanted = 1
    while (calls := len(record.rows("Runs of the sweep"))) < 5:
        study.go_on(setting, 30 * (1 + calls), *study.SHORT)  # a loaded machine needs more
        *earlier, last = record.rows("Runs of the sweep")
        assert last["complete_before"] == (earlier[-1]["complete_now"] if earlier else 0)
        if last["complete_before"] >= wanted and last["complete_now"] > last["complete_before"]:
            break
    else:
        pytest.fail(f"no run was added: {record.rows('Runs of the sweep')}")
    assert last["planned"] == len(presets.expand(["sweep=demo"])) and not list(
        (tmp_path / "runs").rglob("*.part")
    )


def test_the_runs_per_hour_of_seeds_are_compared_with_a_process_each():
    assert gpu_seeds.GOAL.startswith("at least 8 × ") and gpu_seeds.SEEDS[-1] == 32
    each = {"arm": gpu_seeds.A_PROCESS, "runs_an_hour": 50}
    sweep = {"arm": "a sweep, 32 at once", "runs_an_hour": 420}
    gpu_seeds.compare([each, sweep])
    assert (each["times_a_process_each"], sweep["times_a_process_each"]) == (1, 8.4)
    gpu_seeds.compare(rows := [{"arm": "in threads", "runs_an_hour": 420}])
    assert "times_a_process_each" not in rows[0]


@pytest.mark.slow
def test_the_whole_kit_at_tiny_size(tmp_path):
    command = [sys.executable, "-m", "experiments.benchmarks.gpu", "--tiny", "--minutes", "40"]
    ended = subprocess.run(
        [*command, "--out", str(tmp_path)], cwd=ROOT.parent, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout + ended.stderr
    print(ended.stdout)
    assert ended.stdout.splitlines()[-1].startswith("8 of 8 sections measured"), ended.stdout
    for name in EIGHT:
        content = read(tmp_path, name)
        assert content["status"] == MEASURED and content["tiny"] and content["summary"]
        assert content["tables"] and content["n"] and content["minutes"] > 0
        assert not [n for n in content["notes"] if not n.startswith(("PyTorch is", "The sweep of",
                    "Batch ", "The measured peak"))]  # fmt: skip
        assert (tmp_path / f"{name}.md").read_text().startswith("# ")
    held = read(tmp_path, "mission")["tables"]
    assert {row["padding"] for row in held["Event files"]} == set(gpu_mission.PADDINGS)
    (resumed,) = held["Kill and resume"]
    assert resumed["starts"] == 2 and resumed["difference"] == 0
    assert not (tmp_path / "README.md").exists()
