"""What `mien doctor --report` packs, and what it leaves out."""

import json
from pathlib import Path

import pytest

from edge.diagnostics.checks import Check
from edge.diagnostics.discretion import Discretion
from edge.diagnostics.report import report
from edge.process.crash_record import CrashRecord

MARK = "Zanzibar"
"""Part of everything that is somebody's own."""


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose owner is in every corner of it."""
    root = tmp_path / "root"
    write(root, "etc/hostname", f"{MARK}-host\n")
    write(root, "etc/machine-id", "5eed0badc0ffee0123456789abcdef00\n")
    write(root, "etc/os-release", 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n')
    write(root, "proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0")
    write(root, "proc/device-tree/serial-number", "10000000deadbeef\0")
    write(root, "proc/cpuinfo", "Serial\t\t: 10000000deadbeef\nModel\t\t: Raspberry Pi 5\n")
    write(root, "sys/bus/usb/devices/1-1/serial", "SN0123456789\n")
    write(root, "sys/bus/usb/devices/1-1/product", f"{MARK}'s telephone\n")
    write(root, "sys/bus/usb/devices/1-1/idVendor", "046d\n")
    write(root, "sys/bus/usb/devices/1-1/idProduct", "082d\n")
    write(root, "sys/class/net/wlan0/address", "b8:27:eb:12:34:56\n")
    monkeypatch.setenv("USER", f"anna{MARK}")
    monkeypatch.setenv("HOME", f"/home/anna{MARK}")
    return root


SECRETS = (
    *(MARK, "5eed0badc0ffee", "deadbeef", "SN0123456789", "b8:27:eb", "192.168.7.31", "2001:db8"),
    *(
        "hunter2",
        "birthday",
        "happy",
        "surprise",
        "angry",
        "sad ",
        "0.8371",
        "mail.example",
        "Living",
    ),
)
SETTINGS = f"""
[camera]
source = "/dev/v4l/by-id/usb-{MARK}_SN0123456789-video-index0"
rate_hz = 25
[microphone]
device = "{MARK}'s headset"
[events]
to = "/home/anna{MARK}/Living room/moods.jsonl"
[leds]
backend = "none"
"""
JOURNAL = (
    "Running: face lost (There is no camera /dev/v4l/by-id/usb-Cam_SN0123456789-video-index0.)",
    json.dumps({"event": "mood", "shown": "happy", "probabilities": {"happy": 0.8371}}),
    "12 s: 3 of 4 frames read.",
    "Shown: nobody -> happy -> sad ",
    f"mien: anna{MARK} on {MARK}-host (192.168.7.31, b8:27:eb:12:34:56, 2001:db8:1:2:3::1)",
    f"mien: '/home/anna{MARK}/Living room/birthday.mp4' cannot be read, nor /srv/{MARK}/birthday.mp4.",
    f"mien: bert@mail.example, https://bert:hunter2@mail.example/{MARK}: surprise!",
    "mien: The camera is back.",
)


def systems_word(*command: str) -> str:
    if command[0] == "journalctl":
        entries = [
            {"MESSAGE": line, "__REALTIME_TIMESTAMP": "1700000000000000", "_HOSTNAME": MARK}
            for line in JOURNAL
        ]
        return "\n".join(map(json.dumps, entries))
    return (
        f"ActiveState=active\nNRestarts=3\nStatusText=Running: voice lost (no {MARK}'s headset)\n"
    )


def crashed(folder: Path) -> str:
    record = CrashRecord(str(folder))
    record.begin("0.1")
    record.notice("microphone", "lost", f'There is no microphone named "{MARK}\'s headset".')
    try:
        raise ValueError(
            f"/home/anna{MARK}/Living room/birthday.mp4, rtsp://bert:hunter2@192.168.7.31"
        )
    except ValueError as error:
        record.traceback("face reader", error)
    record.traceback("camera", f'File "/home/anna{MARK}/mien/edge/sensors/opencv.py", line 3')
    return str(folder)


def test_the_report_has_what_a_maintainer_needs_and_nothing_of_a_person(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / f"{MARK}.toml"
    config.write_text(SETTINGS)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    write(tmp_path, "state/calibration.json", f'{{"mean_log": [0.8371], "of": "{MARK}"}}')
    checks = [
        Check("microphone", "ok", f"{MARK}'s telephone delivers (peak 0.1 of 1)"),
        Check("camera", "problem", "none", "stop cheese (process 7), which has it"),
    ]
    text = report(checks, config, systems_word, [crashed(tmp_path / "crashes")], root)
    assert [secret for secret in SECRETS if secret in text] == []
    for needed in (
        *(
            "Mien 0.1.0",
            "board Raspberry Pi 5 Model B Rev 1.0",
            "system Debian GNU/Linux 13 (trixie)",
        ),
        *(
            "USB 046d:082d",
            "numpy 2",
            "[camera] rate_hz = 25",
            '[leds] backend = "none"',
            "(a file)",
        ),
        *("[camera] source = (a text of ", "[microphone] device = (a text of 18 signs)"),
        *("ok      microphone     [device] delivers (peak 0.1 of 1)", "which has it"),
        *(
            "face_int8.tflite ",
            "NRestarts=3",
            "voice lost (no …)",
            "lost: There is no microphone named",
        ),
        *("in crashed", "ValueError: ", "The camera is back.", "notice microphone"),
    ):
        assert needed in text, needed


@pytest.mark.parametrize(
    "wrong",
    [
        f'[camera]\nrate_hz = "{MARK}"',
        f'[{MARK}]\npassword = "hunter2"',
        f'[events]\n{MARK} = "hunter2"',
        f'{MARK} = "hunter2"',
        f"[camera]\nrate_hz = {{{MARK} = 1}}",
        f"hunter2 {MARK}",
    ],
)
def test_settings_that_are_wrong_are_told_without_what_they_say(
    root: Path, tmp_path: Path, wrong: str
) -> None:
    from edge.diagnostics.doctor import examine

    config = tmp_path / f"{MARK}.toml"
    config.write_text(wrong)
    first = next(iter(examine(config)))
    text = report([first], config, lambda *command: "", [], root)
    assert "problem: " in text
    assert "problem settings" in text
    assert MARK not in text
    assert "hunter2" not in text


def test_discretion_leaves_what_every_system_has(root: Path) -> None:
    discreet = Discretion(root=root)
    for text in (
        "Raspberry Pi 4 Model B, pi and root of mien",
        "/dev/video0 is busy, /etc/mien/config.toml, line 3",
        "/opt/mien/releases/0.1.0-abc/edge/cli.py",
        "I2C address 0x3c on bus 1, 12:34:56",
    ):
        assert discreet(text) == text
    site = 'File "/home/x/.venv/lib/python3.11/site-packages/cv2/__init__.py", line 3'
    assert discreet(site) == 'File "[packages]/cv2/__init__.py", line 3'
