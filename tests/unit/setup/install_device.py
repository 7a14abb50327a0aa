"""A device to install on: a root folder of its own, a checkout, and tools that only record."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

REPO_ROOT = Path(__file__).resolve().parents[3]
CANNOT = shutil.which("bash") is None or not (REPO_ROOT / "setup.sh").is_file()
"""Whether there is nothing here to try it with."""

STANDALONE = ("edge/diagnostics/checks/libraries.py", "edge/process/pip_errors.py")
"""Files of Mien that set-up runs before Mien is installed."""

GUARD = (
    *(f"edge/process/{name}.py" for name in ("__init__", "command_output", "printable")),
    *(f"edge/upgrade/{file.name}" for file in (REPO_ROOT / "edge/upgrade").glob("*.py")),
)
"""Files of Mien that run beside every release."""

TOOLS = (
    "apt-get",
    "systemd-sysusers",
    "systemd-tmpfiles",
    "udevadm",
    "userdel",
    "journalctl",
)
RECORDER = """#!/bin/sh
echo "${0##*/} $*" >>"$CALLS"
case "${0##*/} $*" in *"${REFUSE:-nothing at all}"*) echo "refused: $*" >&2; exit 1 ;; esac
"""
# Runs the guard when it is asked to, as systemd does; the service of version $BROKEN keeps dying.
SYSTEMCTL = r"""
case "$*" in
    "start --no-block mien-probation.service")
        [ -z "${GUARD_IS_LATE:-}" ] || exit 0
        cd "$MIEN_ROOT/opt/mien/guard" && exec ./python -E -s -B -m edge.upgrade watch ;;
    "show "*mien-probation*) [ -z "${GUARD_IS_LATE:-}" ] || echo ActiveState=inactive ;;
    "show "*mien.service)
        case "$(readlink "$MIEN_ROOT/opt/mien/current")" in
            releases/"${BROKEN:-none}"*) echo "ActiveState=activating
NRestarts=3
Result=exit-code
ExecMainStatus=1" ;;
            *) echo "ActiveState=active
NRestarts=0
StatusText=Running: face ok, voice ok" ;;
        esac ;;
esac
"""
# The slow steps, each with what the others need of its outcome. Everything else is real.
SHORTCUTS = r"""
install_system_packages() { step "System packages"; finish "all there"; }
make_venv() {
    step "Virtual environment"
    mkdir -p "$VENV/bin"
    ln -sf "$PY" "$VENV/bin/python"
    printf '%s\n' '#!/bin/sh' 'echo "mien $*" >>"$CALLS"' \
        'case "$*" in "config check"*) exit "${SETTINGS_ARE_WRONG:-0}" ;;' \
        'self-test*) echo "${SELF_TEST:-Both are read.}"; [ -z "${SELF_TEST:-}" ] ;; esac' \
        >"$VENV/bin/mien"
    chmod +x "$VENV/bin/mien"
    finish made
}
install_packages() { step "Python packages"; [ -z "${CUT_OFF:-}" ] || exit 9; finish installed; }
check_gpio_library() { :; }
list_installed() { :; }
eval "$(declare -f finish | sed '1s/finish/really_finish/')"
finish() { really_finish "$1"; kill_at "$STEP"; }
kill_at() { if [ "${KILL_AT:-}" = "$1" ]; then kill -9 $$; fi; }
fetch_detectors() { step "Face detectors"; finish ready; }
"""

Done = subprocess.CompletedProcess[str]


def bash(script: str) -> Done:
    """Run *script* in the checkout; the first command that fails ends it."""
    return subprocess.run(
        ["bash", "-euc", script],
        cwd=REPO_ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


class Device:
    """A root folder with a system in it that systemd runs, and a checkout beside it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.calls_file = folder / "calls"
        self.checkout = folder / "checkout"
        self.tools = folder / "bin"
        (self.root / "run/systemd/system").mkdir(parents=True)
        (self.root / "etc").mkdir()
        self.model = folder / "model"
        self.model.write_bytes(b"")
        self.checkout.mkdir()
        for name in ("setup.sh", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"):
            shutil.copy(REPO_ROOT / name, self.checkout)
        for name in ("setup", "systemd", "locks"):
            shutil.copytree(REPO_ROOT / name, self.checkout / name)
        for name in ("edge", "models_tflite", "docs"):
            (self.checkout / name).mkdir()
        (self.checkout / "edge/__init__.py").write_text('__version__ = "1.2.3"\n')
        for name in (*STANDALONE, *GUARD):
            (self.checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPO_ROOT / name, self.checkout / name)
        (self.checkout / "models_tflite/face.tflite").write_bytes(b"net")
        (self.checkout / "docs/install.md").touch()
        (self.checkout / "setup/zz_shortcuts.sh").write_text(SHORTCUTS)
        script = self.checkout / "setup.sh"
        text = script.read_text()
        mark = "show_help() {"
        script.write_text(text.replace(mark, ". setup/zz_shortcuts.sh\n" + mark, 1))
        system = self.checkout / "setup/system.sh"
        system.write_text(system.read_text().replace("=/proc/device-tree/model", f"={self.model}"))
        self.tools.mkdir()
        for name in TOOLS:
            (self.tools / name).write_text(RECORDER)
        no_looks = RECORDER.replace("echo", "case $1 in show) ;; *) echo", 1).replace(
            '"$CALLS"', '"$CALLS" ;; esac', 1
        )
        (self.tools / "systemctl").write_text(no_looks + SYSTEMCTL)
        for tool in self.tools.iterdir():
            tool.chmod(0o755)

    def setup(self, *words: str, script: str = "", **environment: str) -> Done:
        """Run ./setup.sh WORDS, or with another *script*, on this device."""
        command = script or "./setup.sh"
        clean = {name: value for name, value in os.environ.items() if name != "BASH_ENV"}
        return subprocess.run(
            ["bash", "-c", f'{command} "$@"', "setup", *words],
            cwd=self.checkout,
            env={
                **clean,
                "PATH": f"{self.tools}:{clean['PATH']}",
                "CALLS": str(self.calls_file),
                "MIEN_ROOT": str(self.root),
                "MIEN_PROBATION_S": "0",
                "PYTHON": sys.executable,
                **environment,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )

    def installed(self, *words: str, script: str = "", **environment: str) -> Done:
        """Run ./setup.sh install WORDS, which goes well."""
        return self.passes("install", *words, script=script, **environment)

    def passes(self, *words: str, script: str = "", **environment: str) -> Done:
        """Run ./setup.sh WORDS, which goes well."""
        done = self.setup(*words, script=script, **environment)
        assert done.returncode == 0, done.stderr
        return done

    def refuses(self, *words: str, script: str = "", **environment: str) -> str:
        """What is said on the standard error by ./setup.sh WORDS, which ends with 1."""
        done = self.setup(*words, script=script, **environment)
        assert done.returncode in (1, 2), done.stderr
        return done.stderr

    def outdated(self, version: str = "1.3.0") -> str:
        """Install, bring *version* into the checkout, and forget the calls; gives the old release."""
        self.installed()
        old = self.current()
        self.bring(version)
        self.calls()
        return old

    def bring(self, version: str) -> None:
        """Another version into the checkout, with a unit, a rule and default settings of its own."""
        (self.checkout / "edge/__init__.py").write_text(f'__version__ = "{version}"\n')
        for name in ("mien.service", "60-mien.rules"):
            with (self.checkout / "systemd" / name).open("a") as file:
                file.write(f"# of {version}\n")
        text = (REPO_ROOT / "setup/install_system.sh").read_text()
        (self.checkout / "setup/install_system.sh").write_text(
            text.replace("[display]\n", f"# of {version}\n[display]\n")
        )

    def has_no_room_for(self, pattern: str) -> None:
        """Let every file of such a name fail to be written."""
        full = self.tools / "sync"
        full.write_text(f"#!/bin/sh\ncase $1 in {pattern}) echo full disk >&2; exit 1 ;; esac\n")
        full.chmod(0o755)

    def unit(self) -> str:
        """The text of the service's unit that is in force."""
        return (self.root / "etc/systemd/system/mien.service").read_text()

    def calls(self) -> list[str]:
        """What the tools were asked since the last time."""
        if not self.calls_file.exists():
            return []
        lines = self.calls_file.read_text().replace(f"--root={self.root} ", "").splitlines()
        self.calls_file.unlink()
        return lines

    def files(self) -> set[str]:
        """All files and links under the root."""
        found = (path for path in self.root.rglob("*") if path.is_file() or path.is_symlink())
        return {str(path.relative_to(self.root)) for path in found}

    def releases(self) -> list[str]:
        """The versions that lie there."""
        return sorted(path.name for path in (self.root / "opt/mien/releases").iterdir())

    def current(self) -> str:
        """The version that the service runs."""
        return os.path.basename(os.readlink(self.root / "opt/mien/current"))
