"""Ten bundles, each broken in another way, made of a whole one by links and a few changed files."""

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MARK: Final = "# broken on purpose: {}\n"
"""Ends each unit and rule of a broken release: to see whether any of it stays."""
_LATER: Final = """

import os, signal, threading
if os.environ.get("NOTIFY_SOCKET"):
    def _break() -> None:
        {act}
    threading.Timer({after_s}, _break).start()
"""
_LEAK: Final = (
    "kept = []\n        while True: kept.append(b'x' * 4_000_000); threading.Event().wait(0.1)"
)


@dataclass(frozen=True)
class Break:
    """One way to be broken."""

    name: str
    apply: Callable[[Path], None]
    room_mb: int = 0
    """Size of the disk that it is installed on, and that is filled meanwhile; 0 for all that there is."""


def _append(file: str, text: str) -> Callable[[Path], None]:
    return lambda bundle: _write(bundle / file, (bundle / file).read_text() + text)


def _replace(file: str, old: str, new: str) -> Callable[[Path], None]:
    def apply(bundle: Path) -> None:
        text = (bundle / file).read_text()
        assert old in text, f"{file} has no {old}"
        _write(bundle / file, text.replace(old, new))

    return apply


def _write(file: Path, content: str | bytes) -> None:
    """Anew: the file is a link to that of the whole bundle."""
    file.unlink()
    file.write_bytes(content.encode() if isinstance(content, str) else content)


def _damage_model(bundle: Path) -> None:
    model = bundle / "models_tflite/face_int8.tflite"
    content = bytearray(model.read_bytes())
    content[5000:5064] = bytes(64)
    _write(model, bytes(content))


def _wheel(bundle: Path) -> Path:
    return next((bundle / "wheels").glob("soxr-*.whl"))


def _wrong_wheel(bundle: Path) -> None:
    _write(_wheel(bundle), next((bundle / "wheels").glob("typer-*.whl")).read_bytes())


def _unlisted_wheel(bundle: Path) -> None:
    name = _wheel(bundle).name
    lines = (bundle / "SHA256SUMS").read_text().splitlines(keepends=True)
    _write(bundle / "SHA256SUMS", "".join(line for line in lines if name not in line))


def _nothing(bundle: Path) -> None:
    return


def _later(after_s: float, act: str) -> Callable[[Path], None]:
    return _append("edge/build/appliance.py", _LATER.format(after_s=after_s, act=act))


BREAKS: Final = (
    Break(
        "import error", _append("edge/perception/face_net.py", "\nraise ImportError('broken')\n")
    ),
    Break("model damaged", _damage_model),
    Break("crash after 30 s", _later(30, "os.kill(os.getpid(), signal.SIGSEGV)")),
    Break("hang", _later(8, "os.kill(os.getpid(), signal.SIGSTOP)")),
    Break("no READY", _replace("edge/process/systemd.py", 'self._send("READY=1")', "return")),
    Break("memory leak", _later(5, _LEAK)),
    Break("wrong wheel", _wrong_wheel),
    Break("unlisted wheel", _unlisted_wheel),
    Break("disk full", _nothing, room_mb=3500),
    Break("power cut", _nothing),
)
"""The last one is whole: it is the machine that fails."""


def make(whole: Path, folder: Path) -> list[Path]:
    """One bundle for each of `BREAKS` in *folder*, in order, of the *whole* one on the same disk."""
    shutil.rmtree(folder, ignore_errors=True)
    made = []
    for number, each in enumerate(BREAKS, 1):
        bundle = folder / str(number)
        shutil.copytree(whole, bundle, copy_function=os.link)
        _replace("edge/__init__.py", '__version__ = "', f'__version__ = "9{number}.')(bundle)
        for file in ("systemd/mien.service", "systemd/60-mien.rules"):
            _append(file, MARK.format(each.name))(bundle)
        each.apply(bundle)
        _list_anew(bundle)
        made.append(bundle)
    return made


def _list_anew(bundle: Path) -> None:
    """The sums of the listed files that are no links to the whole bundle's any more."""
    lines = []
    for line in (bundle / "SHA256SUMS").read_text().splitlines():
        digest, _, name = line.partition("  ")
        if (bundle / name).stat().st_nlink == 1:
            digest = hashlib.sha256((bundle / name).read_bytes()).hexdigest()
        lines.append(f"{digest}  {name}\n")
    _write(bundle / "SHA256SUMS", "".join(lines))
