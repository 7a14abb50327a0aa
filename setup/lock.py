"""The lock: which version of each package, and which files by their SHA-256, setup.sh installs.

It is a folder of requirements files, `locks/`, that plain pip reads. Each is made by uv from a part of
pyproject.toml, for Linux on x86-64 and aarch64 and every Python that Mien runs on:

    python setup/lock.py make UV [--upgrade]               from pyproject.toml (`./setup.sh lock`)
    python setup/lock.py list ARCH PYTHON NAME...          what of these files is for that machine
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement

REPO_ROOT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = REPO_ROOT / "locks"


@dataclass(frozen=True)
class Part:
    """One file of the lock, and what it is made from."""

    name: str
    extras: tuple[str, ...] = ()
    """Extras of pyproject.toml."""
    groups: tuple[str, ...] = ()
    """Dependency groups of pyproject.toml."""
    core: bool = False
    """Whether it holds what Mien always needs, too."""
    python: str = "3.10"
    """The oldest that it is for."""
    limits: tuple[str, ...] = ()
    """Further bounds, for this file alone."""
    beside: str = ""
    """The file that it is installed together with: what both hold has one version."""


PARTS: Final = (
    Part("run", core=True, extras=("clip",)),
    # Raspberry Pi OS bookworm: its picamera2 was built for numpy 1.
    Part("run-numpy1", core=True, extras=("clip",), python="3.11", limits=("numpy<2",)),
    Part("build", groups=("build",), beside="run"),
    Part("dev", extras=("dev",), beside="run"),
    Part("pi", extras=("pi",), beside="run"),
    Part("pi-classic", extras=("pi-classic",), beside="run"),
    Part("jetson", extras=("jetson",), beside="run"),
    Part("tflite-runtime", groups=("tflite-runtime",)),
)


@dataclass(frozen=True)
class Pin:
    """One package in the lock."""

    requirement: Requirement
    """Its name, its version and for which machines it is."""
    hashes: tuple[str, ...]
    """Of each of its files, as "sha256:..."."""

    def suits(self, arch: str, python: str) -> bool:
        """Whether it is for a CPython *python* ("3.13") on 64-bit Linux of *arch* ("aarch64")."""
        marker = self.requirement.marker
        return marker is None or marker.evaluate(environment(arch, python))

    def __str__(self) -> str:
        hashes = "".join(f" --hash={value}" for value in self.hashes)
        return f"{self.requirement.name}{self.requirement.specifier}{hashes}"


def environment(arch: str, python: str) -> dict[str, str]:
    """What the conditions of requirements ask, answered for another machine."""
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "os_name": "posix",
        "platform_machine": arch,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
        "extra": "",
    }


def read(name: str, folder: Path = FOLDER) -> Iterator[Pin]:
    """The pins of a file of the lock."""
    text = (folder / f"{name}.txt").read_text(encoding="utf-8")
    for line in re.sub(r"\\\n", " ", text).splitlines():
        line = line.partition("#")[0].strip()
        if line:
            requirement, *hashes = line.split("--hash=")
            yield Pin(Requirement(requirement), tuple(value.strip() for value in hashes))


def pins_for(arch: str, python: str, names: Iterable[str]) -> list[Pin]:
    """What of the files *names* is for that machine, each once."""
    found = {str(pin): pin for name in names for pin in read(name) if pin.suits(arch, python)}
    return list(found.values())


def declared(part: Part) -> list[str]:
    """The requirements in pyproject.toml that *part* is made from."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    with (REPO_ROOT / "pyproject.toml").open("rb") as file:
        whole: dict[str, Any] = tomllib.load(file)
    project = whole["project"]
    lines: list[str] = list(project["dependencies"]) if part.core else []
    extras = list(part.extras)
    for name in extras:
        for line in project["optional-dependencies"][name]:
            requirement = Requirement(line)
            if requirement.name == project["name"]:  # "mien[docs]" stands for another extra
                extras += sorted(requirement.extras)
            else:
                lines.append(line)
    for name in part.groups:
        lines += whole["dependency-groups"][name]
    return [*lines, *part.limits]


def make(uv: str, upgrade: bool) -> int:
    """Let uv make every file anew; what still fits stays as it is, unless *upgrade* is set."""
    FOLDER.mkdir(exist_ok=True)
    for part in PARTS:
        file = f"{FOLDER.name}/{part.name}.txt"
        command = [
            uv, "pip", "compile", "--quiet", "--universal", "--python-version", part.python,
            "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links",
            "--custom-compile-command", "./setup.sh lock", "-", "--output-file", file,
        ]  # fmt: skip
        if part.beside:
            command += ["--constraint", f"{FOLDER.name}/{part.beside}.txt"]
        if upgrade:
            command.append("--upgrade")
        wanted = "\n".join(declared(part))
        done = subprocess.run(command, cwd=REPO_ROOT, input=wanted, text=True, check=False)
        if done.returncode:
            return done.returncode
        text = (REPO_ROOT / file).read_text(encoding="utf-8")
        (REPO_ROOT / file).write_text(text.replace("-r -\n", "pyproject.toml\n"), encoding="utf-8")
        print(f"{file}: {sum(1 for _ in read(part.name))} packages", flush=True)
    return 0


def main(words: Sequence[str] | None = None) -> int:
    """Make the lock, or list what of it is for one machine."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make")
    making.add_argument("uv")
    making.add_argument("--upgrade", action="store_true")
    listing = commands.add_parser("list")
    listing.add_argument("arch")
    listing.add_argument("python")
    listing.add_argument("names", nargs="+")
    listing.add_argument("--only", action="append", default=[], metavar="PACKAGE")
    chosen = parser.parse_args(words)
    if chosen.command == "make":
        return make(chosen.uv, chosen.upgrade)
    for pin in pins_for(chosen.arch, chosen.python, chosen.names):
        if not chosen.only or pin.requirement.name in chosen.only:
            print(pin)
    return 0


if __name__ == "__main__":
    sys.exit(main())
