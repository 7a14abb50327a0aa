"""What is kept in memory of crashes."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edge.process.crash_record import (
    MOST_BYTES,
    CrashRecord,
    read_record,
    runtime_folder,
    where_thread_is,
)


def kept(folder: Path) -> list[tuple[str, str]]:
    return [(entry["kind"], entry["text"]) for entry in read_record(str(folder))]


def raised(text: str) -> Exception:
    try:
        raise ValueError(text)
    except ValueError as error:
        return error


def test_keeps_runs_notices_and_tracebacks_over_a_restart(tmp_path: Path) -> None:
    for _ in range(2):
        record = CrashRecord(str(tmp_path))
        record.begin("1.2")
        record.notice("camera", "lost", "It is gone.")
        record.traceback("face reader", raised("odd shape"))
        record.traceback("face reader", raised("odd shape"))  # as before: once is enough
    record.end(0)
    kinds = [kind for kind, _ in kept(tmp_path)]
    assert kinds == ["start", "notice", "traceback"] * 2 + ["end"]
    assert kept(tmp_path)[1][1] == "lost: It is gone."
    assert "in raised" in kept(tmp_path)[2][1]
    assert kept(tmp_path)[2][1].endswith("ValueError: odd shape")
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.iterdir())


def test_a_crash_of_native_code_leaves_where_the_threads_were(tmp_path: Path) -> None:
    code = (
        "import sys, faulthandler; from edge.process.crash_record import CrashRecord\n"
        "CrashRecord(sys.argv[1]).begin('1.2')\n"
        "def run_the_net(): faulthandler._sigsegv()\n"
        "run_the_net()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == -signal.SIGSEGV
    assert "in run_the_net" in kept(tmp_path)[-1][1]  # before the next start, and after it
    CrashRecord(str(tmp_path)).begin("1.2")
    assert [kind for kind, _ in kept(tmp_path)] == ["start", "native", "start"]
    assert "Segmentation fault" in kept(tmp_path)[1][1]


def test_a_process_that_does_not_answer_leaves_where_it_hangs(tmp_path: Path) -> None:
    code = (
        "import sys, time; from edge.process.crash_record import CrashRecord\n"
        "record = CrashRecord(sys.argv[1]); record.begin('1.2'); record.watch(0.2); record.alive()\n"
        "def wait_for_the_driver(): time.sleep(1)\n"
        "wait_for_the_driver()"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], timeout=60, check=True)
    assert "in wait_for_the_driver" in kept(tmp_path)[-1][1]


def test_stays_within_its_size_and_keeps_the_newest(tmp_path: Path) -> None:
    record = CrashRecord(str(tmp_path))
    record.begin("1.2")
    for number in range(2000):
        record.notice("camera", "lost", f"number {number} " + "x" * 250)
    assert (tmp_path / "record.jsonl").stat().st_size <= MOST_BYTES
    texts = [text for _, text in kept(tmp_path)]
    assert "number 1999 " in texts[-1]
    assert len(texts) > 200
    record.traceback("camera", "y\n" * 100_000 + "the end")
    assert kept(tmp_path)[-1][1].endswith("the end")
    assert len(kept(tmp_path)[-1][1]) < 7000


def test_what_a_person_has_named_is_not_written_down(tmp_path: Path) -> None:
    record = CrashRecord(str(tmp_path))
    record.begin("1.2")
    record.hide(["/media/anna/birthday.mp4", "birthday.mp4"])
    record.notice("camera", "lost", "birthday.mp4 (/media/anna/birthday.mp4) is cut short.")
    assert kept(tmp_path)[1:] == [("notice", "lost: […] ([…]) is cut short.")]


def test_nothing_is_kept_on_a_disk_and_trouble_is_nobodys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    assert runtime_folder() is None
    CrashRecord(None).begin("1.2")
    CrashRecord(str(tmp_path / "own")).notice("camera", "lost", "no run has begun")
    assert not (tmp_path / "own").exists()
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    assert runtime_folder() == str(tmp_path / "crashes")
    (tmp_path / "record.jsonl").symlink_to(tmp_path / "elsewhere")
    record = CrashRecord(str(tmp_path))
    record.begin("1.2")
    record.end(0)
    assert not (tmp_path / "elsewhere").exists()
    (tmp_path / "file").touch()
    CrashRecord(str(tmp_path / "file/below")).begin("1.2")


def test_says_where_a_thread_is() -> None:
    assert "test_says_where_a_thread_is" in where_thread_is(threading.get_ident())
    assert where_thread_is(None) == ""
