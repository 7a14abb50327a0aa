"""The nets as aarch64 programs, by qemu-user, against the same nets on this machine."""

import os
import platform
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tests.acceptance.arm_nets import inputs
from tests.acceptance.arm_nets.compare_outputs import (
    counts,
    describe_counts,
    difference,
    outputs_of,
)
from tests.acceptance.arm_nets.run_nets import REPO_ROOT
from tests.acceptance.common.programs import RigError, run
from tests.acceptance.common.table import Outcome, Proof

TITLE: Final = "arm-nets: aarch64, by qemu-user"
WHEELS: Final = "Wheels for aarch64"
NETS: Final = ("face", "voice")
CPUS: Final = ("cortex-a72", "cortex-a76")
"""Of the Raspberry Pi 4 and 5. The second has the dot product instructions, as a Jetson Orin has."""
LIMIT_S: Final = 240.0
APIS: Final = (1, 2)
FEATURES_APART: Final = 1
"""Features are computed in floats, whose last bit may differ: by a step where they are rounded."""

Arrays = Mapping[str, NDArray[Any]]


class ArmNets:
    """Where the parts lie that rig/arm_nets.sh has made ready."""

    def __init__(self, rig: Path) -> None:
        self.rig = rig
        self.sysroot, self.wheels = rig / "aarch64", rig / "aarch64-wheels"
        self.work, self.logs = rig / "nets", rig / "logs"
        self.qemu = shutil.which("qemu-aarch64") or ""

    def obstacle(self) -> str:
        """Why nothing of this can be tried here; "" if it can."""
        if platform.machine() == "aarch64":
            return "this machine is an aarch64 itself: ./setup.sh test runs the nets on it"
        for name, there in (
            ("qemu", bool(self.qemu)),
            ("aarch64", (self.sysroot / "usr/bin/python3").exists()),
            ("aarch64-wheels", (self.wheels / "numpy").is_dir()),
        ):
            if not there:
                note = self.rig / "why" / name
                return note.read_text().strip() if note.is_file() else f"there is no {name}"
        return ""

    def prove(self) -> Iterator[Proof]:
        """All proofs, one by one as they are made."""
        why = self.obstacle()
        if why:
            whats = [f"{net.capitalize()} net" for net in NETS]
            yield from (Proof(what, "not run", why) for what in [WHEELS, *whats])
            return
        yield self._wheels()
        self.work.mkdir(parents=True, exist_ok=True)
        given, here = self.work / "given.npz", self.work / "here.npz"
        np.savez(given, face=inputs.pictures(), sounds=inputs.sounds())
        began_s = time.monotonic()
        try:
            said = run(
                [
                    str(self.rig / "venv/bin/python"),
                    "-m",
                    "tests.acceptance.arm_nets.run_nets",
                    str(given),
                    str(here),
                ],
                self.logs / "nets-here.txt",
                LIMIT_S,
                {"PYTHONPATH": str(REPO_ROOT)},
            )
        except RigError as error:
            yield Proof("Both nets here", "FAILED", str(error), time.monotonic() - began_s)
            return
        last = "; ".join(said.strip().splitlines()[-3:])
        yield Proof("Both nets here", "passed", last, time.monotonic() - began_s)
        with np.load(here) as file:
            expected = dict(file)
        np.savez(given, face=inputs.pictures(), sounds=inputs.sounds(), voice=expected["voice"])
        plugin = self._plugin()
        for cpu in CPUS:
            yield from self._cpu(cpu, given, expected, plugin)

    def _wheels(self) -> Proof:
        names = sorted(
            folder.name.removesuffix(".dist-info").replace("-", " ")
            for folder in self.wheels.glob("*.dist-info")
            if folder.name.startswith(("ai_edge_litert", "numpy"))
        )
        wrong = [
            str(file.relative_to(self.wheels))
            for file in sorted(self.wheels.rglob("*.so*"))
            if not is_aarch64(file)
        ]
        if wrong or len(names) != 2:
            return Proof(WHEELS, "FAILED", f"found {names}; not for aarch64: {wrong[:3]}")
        return Proof(WHEELS, "passed", f"{', '.join(names)}: all libraries in them are aarch64")

    def _plugin(self) -> Path | str:
        """The compiled plugin, or why there is none."""
        compiler = shutil.which("gcc") or shutil.which("cc")
        if compiler is None:
            return "there is no C compiler: sudo apt-get install gcc libc6-dev"
        for api in APIS:
            made = self.work / f"plugin-{api}.so"
            source = str(Path(__file__).with_name("count_instructions.c"))
            try:
                run(
                    [compiler, "-shared", "-fPIC", "-O2", f"-DAPI={api}", source, "-o", str(made)],
                    self.logs / "plugin.txt",
                    60,
                )
            except RigError as error:
                return str(error)
            done = subprocess.run(
                [
                    self.qemu,
                    "-plugin",
                    str(made),
                    "-L",
                    str(self.sysroot),
                    *self._program("-c", "0"),
                ],
                capture_output=True,
                timeout=60,
                check=False,
            )
            if done.returncode == 0:
                return made
        return "this qemu takes no plugins of the versions known here"

    def _program(self, *arguments: str) -> list[str]:
        return [str(self.sysroot / "usr/bin/python3"), *arguments]

    def _cpu(self, cpu: str, given: Path, expected: Arrays, plugin: Path | str) -> Iterator[Proof]:
        there = self.work / f"{cpu}.npz"
        there.unlink(missing_ok=True)
        counting = ["-plugin", str(plugin)] if isinstance(plugin, Path) else []
        began_s = time.monotonic()
        try:
            said = run(
                [
                    self.qemu, "-cpu", cpu, *counting, "-L", str(self.sysroot),
                    *self._program("-m", "tests.acceptance.arm_nets.run_nets", str(given), str(there)),
                ],
                self.logs / f"nets-{cpu}.txt",
                LIMIT_S,
                {
                    "PYTHONHOME": str(self.sysroot / "usr"),
                    "PYTHONPATH": os.pathsep.join([str(self.wheels), str(REPO_ROOT)]),
                    "PYTHONHASHSEED": "0",
                    "PYTHONDONTWRITEBYTECODE": "1",
                },
            )  # fmt: skip
            with np.load(there) as file:
                found = dict(file)
        except (RigError, OSError) as error:
            yield Proof(f"Both nets, {cpu}", "FAILED", str(error), time.monotonic() - began_s)
            return
        last = said.strip().splitlines()[-1]
        yield Proof(f"Both nets run, {cpu}", "passed", last, time.monotonic() - began_s)
        pieces: list[int] | str = plugin if isinstance(plugin, str) else counts(said)
        yield from judge(cpu, expected, found, pieces)


def judge(cpu: str, expected: Arrays, found: Arrays, pieces: list[int] | str) -> Iterator[Proof]:
    """Proofs from what came out here and there, and the counts (or why there are none)."""
    front_end = difference(expected, found, ["features"])
    near = front_end.largest <= FEATURES_APART and front_end.differing <= front_end.values / 1000
    yield Proof(
        f"Voice's front end, {cpu}",
        "passed" if near else "FAILED",
        str(front_end).replace("outputs", "features").replace("inputs", "windows"),
    )
    begin = 0
    for net in NETS:
        names = outputs_of(net, expected)
        apart = difference(expected, found, names)
        outcome: Outcome = "FAILED" if apart.differing else "passed"
        yield Proof(f"{net.capitalize()} net, {cpu}", outcome, str(apart))
        what = f"{net.capitalize()} net's cost, {cpu}"
        if isinstance(pieces, str):
            yield Proof(what, "not run", pieces)
            continue
        own = pieces[begin : begin + len(expected[names[0]])]
        begin += len(own)
        try:
            yield Proof(what, "passed", describe_counts(own))
        except ValueError as error:
            yield Proof(what, "FAILED", str(error))


def is_aarch64(library: Path) -> bool:
    """Whether an ELF file is for aarch64 (e_machine 183); what is no ELF file is for everything."""
    with library.open("rb") as file:
        head = file.read(20)
    return head[:4] != b"\x7fELF" or int.from_bytes(head[18:20], "little") == 183
