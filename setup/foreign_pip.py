"""Runs pip for another machine: `python foreign_pip.py ARCH PYTHON GLIBC download ...`.

`pip download --platform` chooses wheels for that machine, but goes on judging the conditions in
package metadata (`python_version < "3.11"`, `platform_machine == "aarch64"`) by its own. This puts
the other machine's answers in their place. It runs in a process of its own, so that nothing else
sees them.
"""

import sys
from typing import Any

from pip._internal.cli.main import main as pip
from pip._vendor.packaging import markers

NEWEST_GLIBC_WITH_OLD_NAMES = 17


def environment(arch: str, python: str) -> dict[str, str]:
    """The answers of a CPython *python* ("3.13") on 64-bit Linux of *arch* ("aarch64")."""
    return {
        **markers.default_environment(),
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
    }


def platform_flags(arch: str, python: str, glibc: int) -> list[str]:
    """Flags of pip for wheels that run there; *glibc* is the minor number of its C library."""
    versions = range(glibc, NEWEST_GLIBC_WITH_OLD_NAMES - 1, -1)
    platforms = [f"manylinux_2_{minor}_{arch}" for minor in versions]
    platforms += [f"manylinux2014_{arch}", f"linux_{arch}"]
    flags = [f"--platform={name}" for name in platforms]
    abis = [f"--abi={abi}" for abi in (f"cp{python.replace('.', '')}", "abi3", "none")]
    return [*flags, *abis, "--implementation=cp", f"--python-version={python}"]


def requirements(extras: list[str]) -> list[str]:
    """What the pyproject.toml here asks for, with *extras*."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        from pip._vendor import tomli as tomllib
    with open("pyproject.toml", "rb") as file:
        project: dict[str, Any] = tomllib.load(file)["project"]
    build = ["setuptools>=77", "wheel", "pip"]
    optional = project["optional-dependencies"]
    return [*project["dependencies"], *(line for name in extras for line in optional[name]), *build]


def main() -> int:
    """Print what is needed, one line each, or download."""
    arch, python, glibc, command, *rest = sys.argv[1:]
    answers = environment(arch, python)
    markers.default_environment = lambda: answers
    if command == "list":
        from pip._vendor.packaging.requirements import Requirement

        for line in requirements(rest):
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate():
                requirement.marker = None
                print(requirement)
        return 0
    flags = platform_flags(arch, python, int(glibc))
    return pip([command, "--only-binary=:all:", *flags, *rest])


if __name__ == "__main__":
    sys.exit(main())
