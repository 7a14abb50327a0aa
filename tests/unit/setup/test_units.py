"""The unit files, by systemd's own tools."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

REPO_ROOT = Path(__file__).resolve().parents[3]
FOLDER = REPO_ROOT / "systemd"
UNITS = ("mien.service", "mien-splash.service")
GUARD = "mien-probation.service"
WORST_EXPOSURE = 1.5
ANALYZE = shutil.which("systemd-analyze")
needs_analyze = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="needs the checkout")


def analyze(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *words],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def says(unit: str, key: str) -> list[str]:
    lines = (FOLDER / unit).read_text(encoding="utf-8").splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(f"{key}=")]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root folder as after an installation, with no other units than systemd's own targets."""
    units = tmp_path / "etc/systemd/system"
    units.mkdir(parents=True)
    for unit in (*UNITS, GUARD):
        shutil.copy(FOLDER / unit, units)
    for target in ("sysinit", "basic", "shutdown", "multi-user", "sound"):
        (units / f"{target}.target").write_text(f"[Unit]\nDescription={target}\n")
    for program in (
        "opt/mien/venv/bin/mien",
        "opt/mien/venv/bin/python",
        "opt/mien/guard/python",
        "usr/bin/systemctl",
    ):
        file = tmp_path / program
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("#!/bin/sh\n")
        file.chmod(0o755)
    return tmp_path


@needs_analyze
@pytest.mark.parametrize("unit", (*UNITS, GUARD))
def test_systemd_finds_nothing_wrong(root: Path, unit: str) -> None:
    done = analyze("verify", f"--root={root}", "--man=no", unit)
    # It ends with 0 on an unknown key as well: what counts is that it has nothing to say.
    assert (done.returncode, done.stderr) == (0, "")


@needs_analyze
def test_a_misspelt_key_would_be_found(root: Path) -> None:
    unit = root / "etc/systemd/system/mien.service"
    unit.write_text(unit.read_text().replace("WatchdogSec=", "WatchdogSecs="))
    assert "WatchdogSecs" in analyze("verify", f"--root={root}", "--man=no", "mien.service").stderr


@needs_analyze
@pytest.mark.parametrize("unit", UNITS)
def test_exposure_is_low(unit: str) -> None:
    threshold = f"--threshold={round(WORST_EXPOSURE * 10)}"
    done = analyze("security", "--offline=true", threshold, str(FOLDER / unit))
    assert done.returncode == 0, done.stdout[-400:]
    level = re.search(r"exposure level for \S+ ([\d.]+)", done.stdout)
    assert level is not None
    assert float(level[1]) <= WORST_EXPOSURE


@needs_analyze
def test_exposure_stays_low_with_what_a_jetson_needs(tmp_path: Path) -> None:
    unit = tmp_path / "mien.service"
    drop_in = (FOLDER / "jetson.conf").read_text()
    service = drop_in[drop_in.index("[Service]\n") + len("[Service]\n") :]
    text = (FOLDER / "mien.service").read_text().replace("ProtectKernelTunables=yes\n", service)
    assert service.strip() == "ProtectKernelTunables=no"
    unit.write_text(text)
    assert analyze("security", "--offline=true", "--threshold=15", str(unit)).returncode == 0


@pytest.mark.parametrize("unit", UNITS)
def test_has_no_network_and_keeps_no_picture(unit: str) -> None:
    assert says(unit, "PrivateNetwork") == ["yes"]
    assert "AF_INET" not in " ".join(says(unit, "RestrictAddressFamilies"))
    assert says(unit, "LimitCORE") == ["0"]
    assert says(unit, "ProtectSystem") == ["strict"]
    assert says(unit, "ReadWritePaths") == []


def test_opens_no_device_but_those_that_it_needs() -> None:
    assert says("mien.service", "DevicePolicy") == ["closed"]
    allowed = {line.split()[0] for line in says("mien.service", "DeviceAllow")}
    assert allowed == {
        "char-video4linux", "char-media", "char-dma_heap", "char-alsa", "char-i2c", "char-spi",
        "char-gpiochip", "/dev/gpiomem",
    }  # fmt: skip
    shown_with = {line.split()[0] for line in says("mien-splash.service", "DeviceAllow")}
    assert shown_with == {"char-i2c", "char-spi", "char-gpiochip", "/dev/gpiomem"}


def test_classes_of_hot_plugged_devices_are_known_from_the_start() -> None:
    lines = (FOLDER / "mien.modules.conf").read_text().splitlines()
    modules = {line for line in lines if line and not line.startswith("#")}
    # Class of DeviceAllow -> the module whose loading brings it into /proc/devices.
    brings = {"video4linux": "videodev", "alsa": "snd", "i2c": "i2c-dev", "spi": "spidev"}
    allowed = " ".join(says("mien.service", "DeviceAllow"))
    for name, module in brings.items():
        assert f"char-{name} " in allowed
        assert module in modules


def test_is_restarted_always_but_for_wrong_settings() -> None:
    from edge.errors import SettingsError

    assert says("mien.service", "Restart") == ["always"]
    assert says("mien.service", "RestartPreventExitStatus") == [str(SettingsError.exit_code)]
    assert float(says("mien.service", "RestartSec")[0]) <= 2
    assert says("mien.service", "Type") == ["notify"]
    assert says("mien.service", "WatchdogSec") == ["20"]


def test_no_number_of_deaths_leaves_it_down() -> None:
    assert says("mien.service", "StartLimitIntervalSec") == ["0"]
    assert says("mien.service", "StartLimitBurst") == []
    # Known to systemd from 254 on only: older ones would complain of it.
    assert says("mien.service", "RestartSteps") == []


def test_what_it_starts_exists() -> None:
    (start,) = says("mien.service", "ExecStart")
    program, command, *flags = start.split()
    assert (program, command) == ("/opt/mien/venv/bin/mien", "run")
    from typer.main import get_command

    from edge.cli import app

    run = get_command(app).commands["run"]  # type: ignore[attr-defined]
    known = {name for parameter in run.params for name in parameter.opts}
    assert {flag for flag in flags if flag.startswith("--")} <= known


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="no systemd-sysusers")
@pytest.mark.skipif(os.getuid() != 0, reason="makes users in a root folder of its own, as root")
def test_user_is_made_with_the_groups_that_are_missing(tmp_path: Path) -> None:
    (tmp_path / "etc/sysusers.d").mkdir(parents=True)
    shutil.copy(FOLDER / "mien.sysusers.conf", tmp_path / "etc/sysusers.d/mien.conf")
    (tmp_path / "etc/group").write_text("root:x:0:\nvideo:x:44:\ngpio:x:986:\n")
    for _ in range(2):
        subprocess.run(
            ["systemd-sysusers", f"--root={tmp_path}", "mien.conf"], timeout=20, check=True
        )
    groups = {
        line.split(":")[0]: line.split(":")[2:]
        for line in (tmp_path / "etc/group").read_text().splitlines()
    }
    for name in ("video", "audio", "gpio", "i2c", "spi", "render"):
        assert groups[name][1] == "mien"
    assert (groups["video"][0], groups["gpio"][0]) == ("44", "986")
    (user,) = [
        line.split(":")
        for line in (tmp_path / "etc/passwd").read_text().splitlines()
        if line.startswith("mien:")
    ]
    assert user[5] == "/var/lib/mien"
    assert user[6].endswith("nologin")


def test_rules_name_only_groups_that_are_made() -> None:
    made = set(re.findall(r"^m mien (\S+)$", (FOLDER / "mien.sysusers.conf").read_text(), re.M))
    rules = (FOLDER / "60-mien.rules").read_text()
    assert set(re.findall(r'GROUP="(\w+)"', rules)) <= made
    assert 'ENV{SYSTEMD_WANTS}+="mien-splash.service"' in rules
    for line in rules.splitlines():
        assert line.startswith("#") or "MODE" not in line or 'MODE="0660"' in line


def test_a_reload_asks_the_service_alone_to_open_its_files_anew() -> None:
    (command,) = says("mien.service", "ExecReload")
    assert {"--kill-who=main", "--signal=HUP"} <= set(command.split())
