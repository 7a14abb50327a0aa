"""The offline bundle: what it fetches for another machine, and how install uses it."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.setup.install_device import CANNOT, Device, bash

pytestmark = pytest.mark.skipif(CANNOT, reason="set-up needs bash and the checkout")

PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"


KEYGEN = shutil.which("ssh-keygen")
needs_keygen = pytest.mark.skipif(KEYGEN is None, reason="needs ssh-keygen")
WHEEL = "wheels/numpy-2-py3-none-any.whl"


def unpack(device: Device, arch: str = platform.machine(), python: str = PYTHON) -> None:
    """Make the checkout look like a bundle that was unpacked."""
    (device.checkout / "wheels").mkdir()
    (device.checkout / "compiled").mkdir()
    (device.checkout / WHEEL).write_bytes(b"wheel")
    (device.checkout / "bundle.txt").write_text(f"arch={arch}\npython={python}\n")
    sum_up(device)


def sum_up(device: Device) -> None:
    sums = "find . -type f ! -name 'SHA256SUMS*' -print0 | xargs -0 sha256sum >SHA256SUMS"
    subprocess.run(["bash", "-c", sums], cwd=device.checkout, check=True)


def note_what_pip_sees(device: Device) -> None:
    with (device.checkout / "setup/zz_shortcuts.sh").open("a") as file:
        file.write(
            'install_packages() { step P; env >"$CALLS.env"; '
            'ls "$WHEELS" >"$CALLS.wheels"; stat -c %a "${WHEELS%/*}" >"$CALLS.mode"; finish done; }\n'
        )


def noted(device: Device, what: str) -> list[str]:
    return Path(f"{device.calls_file}.{what}").read_text().splitlines()


def make_key(folder: Path, name: str) -> Path:
    """A private key; the public one lies beside it."""
    command = [str(KEYGEN), "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(folder / name)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return folder / name


def sign(device: Device, key: Path) -> None:
    """By what ./setup.sh bundle signs with."""
    (device.checkout / "SHA256SUMS.sig").unlink(missing_ok=True)
    done = bash(f"{PIECES} LOG=/dev/null; sign_bundle {device.checkout} {key}")
    assert done.returncode == 0, done.stderr


def test_a_bundle_is_installed_without_asking_a_network(device: Device) -> None:
    note_what_pip_sees(device)
    unpack(device)
    done = device.installed("--unsigned")
    copy = device.root / "opt/mien/var/bundle"
    assert {"PIP_NO_INDEX=1", f"PIP_FIND_LINKS=file://{copy}/wheels"} <= set(noted(device, "env"))
    assert f"Bundle: Python {PYTHON}, 1 packages" in done.stderr
    # The packages are not kept twice.
    assert not (device.root / "opt/mien/current/wheels").exists()
    assert not copy.exists()


def test_pip_sees_listed_wheels_alone_in_a_folder_of_root(device: Device) -> None:
    note_what_pip_sees(device)
    unpack(device)
    (device.checkout / "wheels/numpy-3-py3-none-any.whl").write_bytes(b"nobody listed it")
    device.installed("--unsigned")
    assert noted(device, "wheels") == ["numpy-2-py3-none-any.whl"]
    assert noted(device, "mode") == ["700"]


def test_a_damaged_bundle_is_refused_before_anything_is_done(device: Device) -> None:
    unpack(device)
    (device.checkout / WHEEL).write_bytes(b"whee!")
    said = device.refuses("install", "--unsigned")
    assert "The bundle is damaged; copy it again." in said
    assert "numpy-2-py3-none-any.whl: FAILED" in said
    assert device.calls() == []
    assert not (device.root / "opt/mien/var/bundle").exists()


ZEROS = "0" * 64


@pytest.mark.parametrize(
    "line",
    [
        f"{ZEROS}  ../outside",
        f"{ZEROS}  ./wheels/../../outside",
        f"{ZEROS}  /etc/passwd",
        f"{ZEROS}  ./-x",
        f"{ZEROS}  ./a b",
        f"{ZEROS} *./bundle.txt",
        f"{ZEROS}  ./bundle.txt",  # a second time
        f"{ZEROS}  ./SHA256SUMS",
        "\\" + f"{ZEROS}  ./new\\nline",
        "0000  ./short",
        "",
    ],
)
def test_a_list_with_another_line_than_sum_and_plain_name_is_refused(
    device: Device, line: str
) -> None:
    unpack(device)
    with (device.checkout / "SHA256SUMS").open("a") as file:
        file.write(f"{line}\n")
    said = device.refuses("install", "--unsigned")
    assert "The SHA256SUMS of this bundle is damaged; copy it again." in said
    assert device.calls() == []


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "link to a folder", "gone"])
def test_a_listed_file_that_is_no_regular_file_is_refused(device: Device, kind: str) -> None:
    unpack(device)
    wheel = device.checkout / WHEEL
    wheel.unlink()
    if kind == "link":
        wheel.symlink_to("/etc/hostname")
    elif kind == "pipe":
        os.mkfifo(wheel)
    elif kind == "folder":
        wheel.mkdir()
    elif kind == "link to a folder":
        wheel.symlink_to("/etc")
    said = device.refuses("install", "--unsigned")
    assert said.splitlines()[-1].endswith("copy it again.") or "copy it again. The" in said
    assert device.calls() == []


@needs_keygen
def test_a_bundle_is_taken_by_the_key_that_was_given_once(device: Device, tmp_path: Path) -> None:
    mine, other = make_key(tmp_path, "mine"), make_key(tmp_path, "other")
    unpack(device)
    said = device.refuses("install")
    assert "Nobody vouches for this bundle: it is not signed" in said
    assert "--unsigned" in said
    sign(device, mine)
    assert "no key is known; give the public key" in device.refuses("install")
    assert device.calls() == []
    done = device.installed("--key", f"{mine}.pub")
    assert "signed by SHA256:" in done.stderr
    # From now on without a flag; but not by anybody else.
    device.installed()
    sign(device, other)
    said = device.refuses("install")
    assert "signed by another key than" in said
    device.installed("--unsigned")


@needs_keygen
def test_a_key_that_is_none_or_would_be_of_no_use_is_refused(
    device: Device, tmp_path: Path
) -> None:
    key = make_key(tmp_path, "mine")
    said = device.refuses("install", "--key", f"{key}.pub")
    assert "--key and --unsigned are about a bundle" in said
    unpack(device)
    sign(device, key)
    assert "is a private key" in device.refuses("install", "--key", str(key))
    text = tmp_path / "text"
    text.write_text("no key\n")
    assert "is no public key" in device.refuses("install", "--key", str(text))
    noted_key = tmp_path / "noted.pub"
    noted_key.write_text(f"# ours\n{Path(f'{key}.pub').read_text()}")
    device.installed("--key", str(noted_key))


def test_a_dry_run_says_that_an_unsigned_bundle_would_be_refused(device: Device) -> None:
    unpack(device)
    done = device.installed("--dry-run")
    assert "it is refused without --unsigned" in done.stdout


@needs_keygen
def test_a_list_that_was_changed_after_it_was_signed_is_refused(
    device: Device, tmp_path: Path
) -> None:
    key = make_key(tmp_path, "mine")
    unpack(device)
    sign(device, key)
    (device.checkout / WHEEL).write_bytes(b"another")
    sum_up(device)
    said = device.refuses("install", "--key", f"{key}.pub")
    assert "it is damaged, or signed by another key" in said
    assert device.calls() == []


def test_the_installed_copy_installs_a_bundle_that_lies_elsewhere(
    device: Device, tmp_path: Path
) -> None:
    device.installed()
    unpack(device)
    moved = tmp_path / "elsewhere"
    device.checkout.rename(moved)
    device.checkout.mkdir()
    (moved / "edge/__init__.py").write_text('__version__ = "1.4.0"\n')
    device.checkout, empty = moved, device.checkout
    sum_up(device)
    device.checkout = empty
    script = f"{device.root}/opt/mien/current/setup.sh"
    device.installed("--bundle", str(moved), "--unsigned", script=script)
    assert device.current().startswith("1.4.0-")
    assert "is no unpacked bundle" in device.refuses("install", "--bundle", "/", script=script)


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
    said = device.refuses("install", "--unsigned")
    assert words in said
    assert f"./setup.sh bundle --arch {platform.machine()} --python" in said


def test_system_packages_come_from_the_bundle_alone(device: Device) -> None:
    with (device.checkout / "setup/zz_shortcuts.sh").open("a") as file:
        file.write("install_system_packages() { step S; apt_install libegl1; finish installed; }\n")
    (device.checkout / "debs").mkdir()
    (device.checkout / "debs/Packages").touch()
    unpack(device)
    device.installed("--unsigned")
    work = device.root / "opt/mien/var"
    listed = (work / "bundle.list").read_text()
    assert listed == f"deb [trusted=yes] file:{work}/bundle/debs ./\n"
    asked = [call for call in device.calls() if call.startswith("apt-get")]
    assert len(asked) == 2
    for call in asked:
        assert f"Dir::Etc::sourcelist={work}/bundle.list" in call


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["--python", "3.13", "--out", "/no/such/x.tar"], "There is no folder /no/such for the"),
        (["--python", "3.13", "--out", "."], "is a folder; name a file in it with --out"),
        (["--python", "3.13", "--sign", "/no/key"], "There is no key /no/key"),
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
    "for piece in steps python system packages install bundle use_bundle; do . setup/$piece.sh; done; "
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
