"""A Debian in a folder, used by systemd-nspawn without a network."""

import contextlib
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.acceptance.common.programs import end_group, run


class Container:
    """systemd-nspawn on one folder."""

    def __init__(
        self, nspawn: str, root: Path, name: str, shown: Mapping[Path, str] | None = None
    ) -> None:
        """Plan it.

        Args:
            nspawn: the program.
            root: where the system lies.
            name: of the container; on this machine only one may have it.
            shown: further folders, and where they can be read in it.
        """
        self._name = name
        # Neither the systemd nor the network of this machine is asked for anything.
        self._command = [
            nspawn, "--quiet", "--register=no", "--keep-unit", "--private-network",
            "--resolv-conf=off", "--timezone=off", "--link-journal=no",
            f"--machine={name}", f"--directory={root}",
        ]  # fmt: skip
        self._command += [f"--bind-ro={folder}:{place}" for folder, place in (shown or {}).items()]

    def call(self, command: Sequence[str], log: Path, limit_s: float) -> str:
        """Run one command in it, without booting; what it said.

        Raises:
            RigError: it failed or took too long.
        """
        return run([*self._command, "--console=pipe", *command], log, limit_s)

    @contextlib.contextmanager
    def booted(self, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
        """Start its systemd; the process is systemd-nspawn's own and leads its session."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*self._command, "--console=read-only", "--boot"],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
            try:
                yield process
            finally:
                end_group(process)
                with contextlib.suppress(OSError):
                    Path("/run/systemd/nspawn/propagate", self._name).rmdir()

    def boot(self, log: Path, limit_s: float) -> None:
        """Start its systemd and wait until it powers off.

        Raises:
            RigError: it failed or took too long.
        """
        try:
            run([*self._command, "--boot"], log, limit_s, terminal=True)
        finally:
            # An empty folder that systemd-nspawn leaves.
            with contextlib.suppress(OSError):
                Path("/run/systemd/nspawn/propagate", self._name).rmdir()
