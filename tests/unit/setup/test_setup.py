"""The shell of set-up, piece by piece, on a copy in a temporary folder: nothing is installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge.diagnostics.checks.libraries import LIBRARIES
from tests.unit.setup.install_device import STANDALONE

REPO_ROOT = Path(__file__).resolve().parents[3]
BASH = shutil.which("bash")
SHELLCHECK = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
pytestmark = pytest.mark.skipif(
    BASH is None or not (REPO_ROOT / "setup.sh").is_file(),
    reason="set-up needs bash and the checkout",
)

Done = subprocess.CompletedProcess[str]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    copy = tmp_path / "house"
    copy.mkdir()
    for name in ("setup.sh", "pyproject.toml"):
        shutil.copy(REPO_ROOT / name, copy)
    for name in ("setup", "locks"):
        shutil.copytree(REPO_ROOT / name, copy / name)
    for script in STANDALONE:
        (copy / script).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPO_ROOT / script, copy / script)
    return copy


def run(house: Path, *command: str, **environment: str) -> Done:
    clean = {name: value for name, value in os.environ.items() if name != "PYTHON"}
    return subprocess.run(
        command,
        cwd=house,
        env=clean | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def shell(house: Path, script: str, **environment: str) -> Done:
    """Run *script* with the functions of set-up at hand and this Python chosen."""
    begin = (
        "set -euo pipefail; REPO_ROOT=$PWD; VENV=$REPO_ROOT/.venv; PY=$TEST_PY; PY_VERSION=3.11.1; "
        "for piece in steps python system packages; do . setup/$piece.sh; done; "
    )
    return run(house, "bash", "-c", begin + script, TEST_PY=sys.executable, **environment)


def refused(house: Path, script: str, **environment: str) -> str:
    """What is said by *script*, which ends with 1."""
    done = shell(house, script, **environment)
    assert done.returncode == 1, done.stderr
    return done.stderr


def fake_python(folder: Path, says: str) -> str:
    file = folder / "fake-python"
    file.write_text(f"#!/bin/sh\necho '{says}'\n")
    file.chmod(0o755)
    return str(file)


@pytest.mark.skipif(SHELLCHECK is None, reason="shellcheck has a wheel for x86-64 alone")
def test_shellcheck_finds_nothing() -> None:
    folders = (REPO_ROOT / "setup", REPO_ROOT / "tests/acceptance/rig")
    pieces = [str(path) for folder in folders for path in folder.glob("*.sh")]
    done = run(REPO_ROOT, str(SHELLCHECK), "-x", "setup.sh", ".ci/run", *pieces)
    assert done.returncode == 0, done.stdout


def test_help_and_unknown_words(house: Path) -> None:
    for words in ([], ["help"], ["--help"]):
        done = run(house, "./setup.sh", *words)
        assert done.returncode == 0
        assert "./setup.sh run" in done.stdout
    done = run(house, "./setup.sh", "instal")
    assert done.returncode == 2
    known = "run, test, lock, install, rollback, uninstall, bundle, rig, release and help"
    assert done.stderr == f'setup.sh knows {known}, not "instal".\n'
    assert not (house / "var").exists()


@pytest.mark.parametrize(
    "words",
    [
        "run",
        "test",
        "lock",
        "install",
        "rollback",
        "uninstall",
        "bundle",
        "rig",
        "rig soak",
        "release",
    ],
)
def test_help_of_a_command_has_its_flags_and_examples_and_does_nothing(
    house: Path, words: str
) -> None:
    done = run(house, "./setup.sh", *words.split(), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    usage, _, examples = done.stdout.partition("\nExamples:\n")
    command = words.partition(" ")[0]
    assert f"./setup.sh {command}" in usage.splitlines()[0]
    assert f"setup.sh {command}" in examples
    assert not (house / "var").exists()


@pytest.mark.parametrize(
    "complaint",
    [
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n"
        "Failed building wheel for PyAudio\nerror: command '/usr/bin/gcc' failed with exit code 1",
        "collect2: fatal error: ld terminated with signal 7 [Bus error], core dumped\n"
        "error: command '/usr/bin/gcc' failed with exit code 1",
        "E: You don't have enough free space in /var/cache/apt/archives/.",
        "tar: ./x: Cannot write: No space left on device",
        "gcc: Disk quota exceeded",
    ],
)
def test_a_full_disk_is_called_that_whatever_runs_into_it(house: Path, complaint: str) -> None:
    # Far above the last lines, as a compiler that goes on complains of much else afterwards.
    (house / "said").write_text(complaint + "\nnoise" * 300)
    script = 'open_log; step "Python packages"; logged sh -c "cat said; false" || '
    for judge in ("explain_pip", 'die_with_log "A package could not be compiled."'):
        said = refused(house, script + judge)
        assert "no room on the disk" in said.splitlines()[-1]
        assert "compiled" not in said.splitlines()[-1]


def test_an_earlier_command_that_ran_out_of_room_does_not_count(house: Path) -> None:
    script = (
        'open_log; logged sh -c "echo No space left on device; false" || true; '
        'logged sh -c "echo oops; false" || die_with_log "It is broken."'
    )
    assert "It is broken." in refused(house, script).splitlines()[-1]


def test_a_command_without_a_sentence_of_its_own_is_placed(house: Path) -> None:
    said = refused(house, 'open_log; step "Settings"; false')
    assert said.splitlines()[-1].startswith('setup: It ended in the step "Settings"')


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_the_log_tells_of_a_full_disk_that_it_lies_on_itself(house: Path) -> None:
    (house / "var").mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", house / "var"])
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        script = (
            'open_log; step "Python packages"; logged sh -c "cat /dev/zero >var/full" || '
            'die_with_log "A package could not be compiled."'
        )
        assert "no room on the disk" in refused(house, script).splitlines()[-1]
        assert "no room on the disk" in refused(house, "open_log; step x; echo y >var/z; ")
    finally:
        subprocess.run(["umount", house / "var"], check=True)


def test_works_from_plain_sh_and_from_elsewhere(house: Path, tmp_path: Path) -> None:
    done = run(tmp_path, "sh", str(house / "setup.sh"), "help")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("says", "fault"),
    [
        ("3.10 64 CPython", ""),
        ("3.13 64 CPython", ""),
        ("3.9 64 CPython", "is CPython 3.9"),
        ("3.14 64 CPython", "is CPython 3.14"),
        ("3.11 64 PyPy", "is PyPy 3.11"),
        ("3.11 32 CPython", "is a 32-bit Python"),
    ],
)
def test_takes_only_a_python_that_will_do(house: Path, says: str, fault: str) -> None:
    done = shell(house, f"python_fault '{fake_python(house, says)}'")
    assert done.stdout.strip()[: len(fault)] == fault
    assert bool(done.stdout.strip()) is bool(fault)


def test_a_wrong_python_is_refused_in_one_sentence(house: Path) -> None:
    wrong = fake_python(house, "3.9 64 CPython")
    for python, fault in ((wrong, "is CPython 3.9"), ("/nonexistent", "cannot be run")):
        done = run(house, "./setup.sh", "run", PYTHON=python)
        assert done.returncode == 1
        assert done.stderr == f"setup: PYTHON={python} {fault}; choose one from 3.10 to 3.13.\n"
    assert not (house / ".venv").exists()


def test_only_one_set_up_works_at_a_time(house: Path) -> None:
    (house / "var").mkdir()
    script = "exec 8>var/setup.lock; flock 8; ./setup.sh run 8>&-"
    done = run(house, "bash", "-c", script)
    assert done.returncode == 1
    assert "Another ./setup.sh is at work" in done.stderr


@pytest.mark.parametrize(
    ("model", "kernel", "extra"),
    [
        ("", "6.12.1", ""),
        ("Raspberry Pi 5 Model B Rev 1.0", "6.1.0-rpi", "pi"),
        ("Raspberry Pi 4 Model B Rev 1.5", "6.6.31+rpt-rpi-v8", "pi"),
        ("Raspberry Pi 4 Model B Rev 1.5", "5.15.84-v8+", "pi-classic"),
        ("Raspberry Pi Zero 2 W Rev 1.0", "6.12.25", "pi"),
        ("NVIDIA Jetson Orin Nano Developer Kit", "5.15.136-tegra", "jetson"),
    ],
)
def test_gpio_library_follows_board_and_kernel(
    house: Path, model: str, kernel: str, extra: str
) -> None:
    (house / "model").write_bytes(model.encode() + b"\0")
    script = f'DEVICE_TREE_MODEL=model; uname() {{ echo "{kernel}"; }}; board_extra'
    done = shell(house, script)
    assert (done.returncode, done.stdout.strip()) == (0, extra), done.stderr


STAMP = """
mkdir -p .venv/bin; printf '#!/bin/sh' >.venv/bin/mien; chmod +x .venv/bin/mien
fingerprint "" >.venv/.mien-packages
"""


def test_packages_count_as_installed_until_something_changes(house: Path) -> None:
    ask = "packages_are_installed && echo yes || echo no"
    assert shell(house, ask).stdout == "no\n"
    assert shell(house, STAMP + ask).stdout == "yes\n"
    assert shell(house, "PY_VERSION=3.12.0; " + ask).stdout == "no\n"
    with (house / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("# another dependency\n")
    assert shell(house, ask).stdout == "no\n"


def test_what_the_tests_need_serves_the_run_as_well_but_not_the_other_way(house: Path) -> None:
    shell(house, STAMP)
    assert shell(house, "stamp_holds dev && echo yes || echo no").stdout == "no\n"
    shell(house, "rm .venv/.mien-packages; fingerprint dev >.venv/.mien-packages-dev")
    assert shell(house, "packages_are_installed && echo yes || echo no").stdout == "yes\n"


def test_missing_libraries_are_named_by_their_packages(house: Path) -> None:
    # A Python that finds no library at all.
    (house / "ctypes.py").write_text("def CDLL(name):\n    raise OSError(name)\n")
    done = shell(house, "missing_libraries", PYTHONPATH=str(house))
    assert done.stdout.split() == list(LIBRARIES.values())
    bundled = shell(house, '. setup/bundle_debs.sh; echo "${DEB_NAMES[@]}"').stdout.split()
    assert set(bundled) >= set(LIBRARIES.values())


def test_prints_the_one_line_to_run_when_it_may_not_install(house: Path) -> None:
    script = (
        "can_install() { false; }; missing_packages() { echo libegl1; echo gcc; }; "
        "wished_packages() { echo alsa-utils; }; install_system_packages"
    )
    command = "sudo apt-get update && sudo apt-get install -y gcc libegl1 alsa-utils"
    said = command if shutil.which("apt-get") else "there is no apt-get"
    assert said in refused(house, script)


def test_goes_on_without_packages_that_are_only_wished_for(house: Path) -> None:
    script = (
        "can_install() { false; }; missing_packages() { :; }; "
        "wished_packages() { echo alsa-utils; }; install_system_packages"
    )
    done = shell(house, script)
    assert done.returncode == 0
    assert "enough" in done.stderr


@pytest.mark.parametrize(
    ("extra", "before", "asked_for"),
    [("dev", "", "strace"), ("dev", STAMP, "strace"), ("", "", ""), ("", STAMP, "")],
)
def test_only_the_tests_wish_for_strace_and_while_they_are_set_up(
    house: Path, extra: str, before: str, asked_for: str
) -> None:
    script = (
        "can_install() { true; }; missing_packages() { :; }; on_raspberry_pi() { false; }\n"
        'command() { [ "$2" != strace ] && builtin command "$@"; }\n'
        f'apt_install() {{ echo "asked for $*"; }}; {before}\ninstall_system_packages "{extra}"'
    )
    done = shell(house, script)
    words = done.stdout.partition("asked for ")[2].split()
    assert [word for word in words if word != "alsa-utils"] == asked_for.split(), done.stderr
    if extra:
        shell(house, STAMP + "fingerprint dev >.venv/.mien-packages-dev")
        assert "strace" not in shell(house, script).stdout


def test_fetches_package_lists_before_it_installs(house: Path) -> None:
    script = (
        'open_log; as_root() { echo called "${@: -1}" "$@"; }; step x; '
        'apt_install gcc libegl1; cat "$LOG"'
    )
    done = shell(house, script)
    calls = [line for line in done.stdout.splitlines() if line.startswith("called")]
    assert [call.split()[1] for call in calls] == ["update", "libegl1"]
    assert all("DEBIAN_FRONTEND=noninteractive" in call for call in calls)
    assert "-y" in calls[1].split()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("OSError: [Errno 28] No space left on device", "no room on the disk"),
        ("NewConnectionError(': Failed to establish a new connection')", "connect to a network"),
        ("error: command '/usr/bin/gcc' failed with exit code 1", "cannot be compiled"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "not the one that the lock names"),
        ("something else", "pip could not install"),
    ],
)
def test_says_why_pip_failed_with_the_end_of_the_log(house: Path, line: str, words: str) -> None:
    (house / "pip.txt").write_text(line + "\n")
    said = refused(house, 'open_log; step x; logged sh -c "cat pip.txt; false" || explain_pip')
    assert all(part in said for part in (words, f"    {line}", "var/setup.log")), said


def test_a_virtual_environment_of_somebody_else_is_not_deleted(house: Path) -> None:
    (house / ".venv").mkdir()
    (house / ".venv" / "precious").touch()
    said = refused(house, "NEEDED_MB=0; open_log; make_venv")
    assert "was not made by ./setup.sh" in said
    assert (house / ".venv" / "precious").exists()


def test_a_full_disk_is_told_before_anything_is_made(house: Path) -> None:
    assert "make room" in refused(house, "NEEDED_MB=999999999; open_log; make_venv")
    assert not (house / ".venv").exists()


def test_progress_is_not_on_the_standard_output(house: Path) -> None:
    done = shell(house, 'open_log; step "Python packages"; logged echo hello; finish installed')
    assert done.stdout == ""
    assert "[1/6] Python packages: installed (0 s)" in done.stderr
    assert "hello" in (house / "var/setup.log").read_text()


def test_says_how_to_type_the_command_alone_where_it_cannot_be(house: Path) -> None:
    here = shell(house, "say_how_to_type", PATH="/usr/bin:/bin")
    assert here.stderr.endswith(f"does:  . {house}/.venv/bin/activate\n")
    (house / "bin").mkdir()
    (house / "bin/mien").symlink_to("/bin/true")
    assert shell(house, "say_how_to_type", PATH=f"{house}/bin:/usr/bin:/bin").stderr == ""


def test_lock_is_not_handed_on_to_what_is_run(house: Path) -> None:
    done = shell(
        house,
        "open_log; step x; logged sh -c 'ls -l /proc/self/fd'; cat \"$LOG\"; close_log; "
        "ls -l /proc/self/fd",
    )
    assert "setup.lock" not in done.stdout
    assert done.returncode == 0


PIP = """
mkdir -p .venv/bin; chmod +x pip; cp pip .venv/bin/python; open_log; install_tflite_runtime
"""


@pytest.mark.parametrize("version", ["3.10.13", "3.11.2"])
def test_makes_the_old_runtime_apart_and_only_once(house: Path, version: str) -> None:
    (house / "pip").write_text(
        '#!/bin/sh\necho "$@" >>asked\nwhile [ "$1" != --target ]; do shift; done; mkdir -p "$2"\n'
    )
    script = f"PY_VERSION={version}; {PIP} install_tflite_runtime"
    done = shell(house, script)
    assert done.returncode == 0, done.stderr
    assert "installed" in done.stderr
    assert "ready" in done.stderr
    asked = (house / "asked").read_text().splitlines()
    assert len(asked) == 1
    assert "--require-hashes" in asked[0]
    assert asked[0].endswith("locks/tflite-runtime.txt")
    assert [path.name for path in (house / "var/tflite_runtime").iterdir()] == [".mien-made"]
    # It is made anew for another Python, and gone for one that has none.
    shell(house, f"PY_VERSION=3.10.99; {PIP}")
    assert len((house / "asked").read_text().splitlines()) == (1 if "3.10" in version else 2)
    done = shell(house, f"PY_VERSION=3.13.0; {PIP}")
    assert "there is none for Python 3.13" in done.stderr
    assert not (house / "var/tflite_runtime").exists()


def test_goes_on_without_the_old_runtime(house: Path) -> None:
    (house / "pip").write_text("#!/bin/sh\necho no network; exit 1\n")
    done = shell(house, PIP)
    assert done.returncode == 0
    assert "its test will be skipped" in done.stderr
    assert not list((house / "var").glob("*tflite*"))
