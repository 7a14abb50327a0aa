"""The offline bundle: what it fetches for another machine, and how install uses it."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.setup.install_device import CANNOT, Device, bash

pytestmark = pytest.mark.skipif(CANNOT, reason="set-up needs bash and the checkout")

PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"


def unpack(device: Device, arch: str = platform.machine(), python: str = PYTHON) -> None:
    """Make the checkout look like a bundle that was unpacked."""
    wheels = device.checkout / "wheels"
    wheels.mkdir()
    (device.checkout / "compiled").mkdir()
    (wheels / "numpy-2-py3-none-any.whl").write_bytes(b"wheel")
    (device.checkout / "bundle.txt").write_text(f"arch={arch}\npython={python}\n")
    sums = "find . -type f ! -name SHA256SUMS -print0 | xargs -0 sha256sum >SHA256SUMS"
    subprocess.run(["bash", "-c", sums], cwd=device.checkout, check=True)


def test_a_bundle_is_installed_without_asking_a_network(device: Device) -> None:
    with (device.checkout / "setup/zz_shortcuts.sh").open("a") as file:
        file.write('install_packages() { step P; env >"$CALLS.env"; finish installed; }\n')
    unpack(device)
    done = device.installed()
    seen = Path(f"{device.calls_file}.env").read_text().splitlines()
    assert "PIP_NO_INDEX=1" in seen
    assert f"PIP_FIND_LINKS=file://{device.checkout}/wheels" in seen
    assert f"Bundle: Python {PYTHON}, 1 packages" in done.stderr
    # The packages are not kept twice.
    assert not (device.root / "opt/mien/current/wheels").exists()


def test_a_damaged_bundle_is_refused_before_anything_is_done(device: Device) -> None:
    unpack(device)
    (device.checkout / "wheels/numpy-2-py3-none-any.whl").write_bytes(b"whee!")
    said = device.refuses("install")
    assert "The bundle is damaged; copy it again." in said
    assert "numpy-2-py3-none-any.whl: FAILED" in said
    assert device.calls() == []


@pytest.mark.parametrize(
    ("arch", "python", "words"),
    [
        ("riscv64", PYTHON, "This bundle is for riscv64 and here is"),
        (platform.machine(), "3.9", "This bundle is for Python 3.9 and here is"),
    ],
)
def test_a_bundle_for_another_machine_says_how_to_make_the_right_one(
    device: Device, arch: str, python: str, words: str
) -> None:
    unpack(device, arch, python)
    said = device.refuses("install")
    assert words in said
    assert f"./setup.sh bundle --arch {platform.machine()} --python" in said


def test_system_packages_come_from_the_bundle_alone(device: Device) -> None:
    with (device.checkout / "setup/zz_shortcuts.sh").open("a") as file:
        file.write("install_system_packages() { step S; apt_install libegl1; finish installed; }\n")
    (device.checkout / "debs").mkdir()
    (device.checkout / "debs/Packages").touch()
    unpack(device)
    device.installed()
    work = device.root / "opt/mien/var"
    assert (
        work / "bundle.list"
    ).read_text() == f"deb [trusted=yes] file:{device.checkout}/debs ./\n"
    asked = [call for call in device.calls() if call.startswith("apt-get")]
    assert len(asked) == 2
    for call in asked:
        assert f"Dir::Etc::sourcelist={work}/bundle.list" in call


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["--arch", "aarch64"], "Say for which Python with --python"),
        (["--python", "3.9"], '--python cannot be "3.9"'),
        (["--python", "3.13", "--arch", "armv7l"], '"armv7l"; --arch takes aarch64 or x86_64'),
        (["--python"], "--python needs a value"),
        (["--pyhton", "3.13"], 'does not know "--pyhton"'),
    ],
)
def test_wrong_words_are_refused_in_one_sentence(
    device: Device, words: list[str], fault: str
) -> None:
    said = device.refuses("bundle", *words)
    assert fault in said
    assert len(said.splitlines()) == 1


PIECES = (
    "REPO_ROOT=$PWD; PY=python3; "
    "for piece in steps python system packages install bundle; do . setup/$piece.sh; done; "
)


def test_wheels_are_asked_for_up_to_the_c_library_of_the_other_machine() -> None:
    flags = bash(PIECES + "platform_flags aarch64 3.11").stdout.split()
    platforms = [flag for flag in flags if flag.startswith("--platform=")]
    assert platforms[0] == "--platform=manylinux_2_36_aarch64"
    assert "--platform=manylinux_2_17_aarch64" in platforms
    assert {"--abi=cp311", "--abi=abi3", "--abi=none", "--python-version=3.11"} <= set(flags)
    assert not any("x86_64" in flag for flag in flags)


# Wheels as pip calls them; pip and the network stand still.
COMPILED = """
COMPILED=$PWD/compiled; mkdir compiled locks; REPO_ROOT=$PWD
touch compiled/{rpi_gpio-0.7.1-cp313,spidev-3.8-cp313,PyAudio-0.2.13-cp313}-linux_x86_64.whl
echo 'pyaudio==0.2.14 \\' >locks/run.txt
echo 'spidev==3.8 \\' >locks/pi.txt
printf '%s\n' 'rpi-gpio==0.7.1 \\' 'spidev==3.8 \\' >locks/pi-classic.txt
pip_install() { printf '%s\n' "${@##*/}"; }
"""


@pytest.mark.parametrize(
    ("board", "wheels"), [("pi", {"spidev"}), ("pi-classic", {"spidev", "rpi_gpio"})]
)
def test_of_what_a_bundle_has_compiled_only_what_the_lock_names_is_installed(
    tmp_path: Path, board: str, wheels: set[str]
) -> None:
    done = bash(f"{PIECES} cd {tmp_path}; {COMPILED} install_compiled run {board}")
    assert done.returncode == 0, done.stderr
    flag, *files = done.stdout.split()
    assert flag == "--no-index"
    assert {name.partition("-")[0] for name in files} == wheels


@pytest.mark.parametrize(
    ("files", "pure"),
    [(["setup.py", "sdnotify.py"], True), (["src/x.c", *map(str, range(400))], False)],
)
def test_what_has_to_be_compiled_is_told_from_what_has_not(
    tmp_path: Path, files: list[str], pure: bool
) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    script = (
        f"REPO_ROOT=$PWD; . setup/bundle.sh; tar -C {tmp_path} -czf {tmp_path}/x.tar.gz "
        f"{' '.join(files)}; is_pure {tmp_path}/x.tar.gz && echo yes || echo no"
    )
    done = bash(script)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ("yes\n" if pure else "no\n")


def test_this_machines_sources_serve_the_other_release_of_the_same_family(tmp_path: Path) -> None:
    ask = f"apt_sources nowhere {tmp_path}/x && echo yes || echo no"
    script = f"REPO_ROOT=$PWD; . setup/bundle_debs.sh; {ask}"
    done = bash(script)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "no\n"
    assert not (tmp_path / "x").exists()
