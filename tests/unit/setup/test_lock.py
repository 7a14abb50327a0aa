"""The lock: that it is what pyproject.toml asks for, whole, and names no place to get it from."""

import itertools
import re
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.unit.setup.scripts import load_script

REPO_ROOT = Path(__file__).resolve().parents[3]
SCRIPT = REPO_ROOT / "setup/lock.py"
pytestmark = pytest.mark.skipif(not SCRIPT.is_file(), reason="needs the checkout")

MACHINES = list(itertools.product(("x86_64", "aarch64"), ("3.10", "3.11", "3.12", "3.13")))
BOARDS = ("pi", "pi-classic", "jetson")


@pytest.fixture(scope="module")
def lock() -> ModuleType:
    return load_script("lock")


def versions(lock: ModuleType, arch: str, python: str, *names: str) -> dict[str, list[str]]:
    """Of each package that these files hold for that machine."""
    found: dict[str, list[str]] = {}
    for pin in lock.pins_for(arch, python, names):
        (specifier,) = pin.requirement.specifier
        assert specifier.operator == "=="
        found.setdefault(pin.requirement.name, []).append(specifier.version)
    return found


@pytest.mark.parametrize(("arch", "python"), MACHINES)
def test_holds_what_pyproject_asks_for_within_its_bounds(
    lock: ModuleType, arch: str, python: str
) -> None:
    for part in lock.PARTS:
        if float(python.partition(".")[2]) < float(part.python.partition(".")[2]):
            continue
        held = versions(lock, arch, python, part.name)
        for line in lock.declared(part):
            asked = Requirement(line)
            if asked.marker is None or asked.marker.evaluate(lock.environment(arch, python)):
                (version,) = held.get(canonicalize_name(asked.name), ["none"])
                assert version in asked.specifier, f"{line}: run ./setup.sh lock and commit locks/"


@pytest.mark.parametrize(("arch", "python"), MACHINES)
@pytest.mark.parametrize("board", BOARDS)
def test_parts_that_are_installed_together_agree(
    lock: ModuleType, arch: str, python: str, board: str
) -> None:
    for run in ("run", "run-numpy1") if python == "3.11" else ("run",):
        held = versions(lock, arch, python, "build", run, board, "dev")
        assert {name: found for name, found in held.items() if len(found) > 1} == {}


def test_every_file_is_named_by_its_hash_and_none_by_its_place(lock: ModuleType) -> None:
    assert {part.name for part in lock.PARTS} == {path.stem for path in lock.FOLDER.iterdir()}
    for part in lock.PARTS:
        assert not re.search(
            r"://|--index|--find-links|[ =]/", (lock.FOLDER / f"{part.name}.txt").read_text()
        )
        for pin in lock.read(part.name):
            assert pin.hashes, pin
            assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in pin.hashes), pin


def test_debian_12_keeps_the_numpy_that_its_picamera2_was_built_for(lock: ModuleType) -> None:
    assert versions(lock, "aarch64", "3.11", "run-numpy1")["numpy"][0].startswith("1.")
    assert versions(lock, "aarch64", "3.11", "run")["numpy"][0].startswith("2.")


def test_what_is_listed_is_for_that_machine_alone(
    lock: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    def listed(*words: str) -> list[str]:
        assert lock.main(["list", *words]) == 0
        return capsys.readouterr().out.splitlines()

    old, new = listed("aarch64", "3.10", "run", "pi"), listed("x86_64", "3.13", "run")
    assert any(line.startswith("tomli==") for line in old)
    assert not any(line.startswith("tomli==") for line in new)
    assert any(line.startswith("rpi-lgpio==") for line in old)
    assert not any(";" in line for line in (*old, *new))
    runtimes = [line for line in (*old, *new) if line.startswith("ai-edge-litert==")]
    assert len(set(runtimes)) == 2
    assert listed("x86_64", "3.13", "run", "--only=ai-edge-litert") == runtimes[1:]
