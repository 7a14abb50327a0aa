"""All that a maintainer needs to know of a machine, in one file, with nothing of a person in it.

No picture, no sound, no calibration and no mood; no name of a host, a user, a folder or a device that
somebody has named. Settings that are a text of one's own are told by their length alone. Everything
else goes through `Discretion`, whatever it is.
"""

import contextlib
import hashlib
import json
import platform
import re
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from edge import __version__
from edge.config.adapters import registry
from edge.config.load import Loaded, try_settings
from edge.config.named_by_person import free_texts, named_by_person
from edge.config.paths import IN_CHECKOUT, REPO_ROOT, fetched_folder, models_folder
from edge.config.render import toml_value
from edge.config.schema import Settings
from edge.diagnostics.checks import Check
from edge.diagnostics.discretion import Discretion
from edge.errors import MienError
from edge.hardware.board import board_name
from edge.process.command_output import output_of
from edge.process.crash_record import read_record, record_folders
from edge.process.printable import printable

TITLE: Final = "Report of Mien, form 1"
"""The first line, and the mark of a file of ours."""
JOURNAL_LINES: Final = 200
UNIT: Final = "mien.service"
_PROPERTIES: Final = (
    *("ActiveState", "SubState", "Result", "NRestarts", "ExecMainCode", "ExecMainStatus"),
    *("MemoryCurrent", "MemoryPeak", "TasksCurrent", "StatusText"),
)
OPTIONAL: Final = (
    *("av", "picamera2", "rpi-lgpio", "RPi.GPIO", "Jetson.GPIO", "lgpio", "spidev", "rpi-ws281x"),
    *("tflite-runtime", "luma.emulator", "pygame"),
)
"""Packages that Mien uses where they are."""
_LARGEST_MODEL: Final = 64_000_000

Ask = Callable[..., str]
"""Runs a program; gives what it prints, or "" where it cannot be run."""


def report(
    checks: Iterable[Check],
    config: Path | None = None,
    ask: Ask = output_of,
    folders: Iterable[str] | None = None,
    root: Path = Path("/"),
) -> str:
    """The report as text, sections under headings.

    Args:
        checks: what the doctor found.
        config: the settings given with `--config`.
        ask: asks systemctl and journalctl.
        folders: where records of crashes may lie; None where they do.
        root: where the machine's files lie.
    """
    loaded, problems = try_settings(config)
    settings = loaded.settings if loaded else Settings()
    named = [*named_by_person(settings), *([str(config), config.name] if config else [])]
    discreet = Discretion(named, root)
    service = ask("systemctl", "show", UNIT, f"--property={','.join(_PROPERTIES)}")
    sections: dict[str, Iterable[str]] = {
        "Machine": map(discreet, _machine(root)),
        "Packages": _packages(),
        "Settings": map(discreet, _settings(loaded, problems)),
        "Doctor": map(discreet, _doctor(checks)),
        "Models": map(discreet, _models(settings)),
        "Service": map(discreet, service.splitlines()),
        "Crashes, notices and restarts": map(discreet, _record(folders)),
        "Journal": map(discreet, _journal(ask)),
    }
    lines = [TITLE, "Read it before you send it: it should name nobody and no place.", ""]
    for heading, said in sections.items():
        content = [part for line in said for part in line.split("\n") if part.strip()]
        lines += [f"== {heading}", *(f"  {printable(line)}" for line in content or ["nothing"]), ""]
    return "\n".join(lines)


def is_report(text: str) -> bool:
    """Whether *text* is what `report` gave."""
    return text.startswith(TITLE)


def _machine(root: Path) -> Iterator[str]:
    kind = "a checkout or a release of it" if IN_CHECKOUT else "a wheel"
    yield f"Mien {__version__}, {kind}"
    release = re.search(r"/opt/mien/releases/([\w.\-]+)", str(REPO_ROOT.resolve()))
    if release:
        yield f"release {release[1]}"
    yield f"Python {platform.python_version()} ({platform.python_implementation()})"
    yield f"kernel {platform.release()}, {platform.machine()}"
    with contextlib.suppress(OSError):
        for line in (root / "etc/os-release").read_text(errors="replace").splitlines():
            if line.startswith("PRETTY_NAME="):
                yield f"system {line.partition('=')[2].strip(chr(34))}"
    yield f"board {board_name(root) or 'unknown'}"
    with contextlib.suppress(OSError):
        for line in (root / "proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith(("model name", "Model", "CPU part", "Hardware")):
                yield f"processor {line.partition(':')[2].strip()}"
                break
    with contextlib.suppress(OSError):
        yield (root / "proc/meminfo").read_text(errors="replace").partition("\n")[0]
    for device in sorted((root / "sys/bus/usb/devices").glob("*/idProduct")):
        with contextlib.suppress(OSError):
            vendor = (device.parent / "idVendor").read_text().strip()
            yield f"USB {vendor}:{device.read_text().strip()}"
    yield time.strftime("written %Y-%m-%d %H:%M UTC", time.gmtime())


def _packages() -> Iterator[str]:
    """Mien's own requirements, and what they require, as far as they are there."""
    waiting, found = [*OPTIONAL, "mien"], []
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        plain = re.sub(r"[-_.]+", "-", name).lower()
        if plain in seen:
            continue
        seen.add(plain)
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue
        found.append(f"{plain} {package.version}")
        for line in package.requires or ():
            required = re.match(r"[\w.\-]+", line)
            # What belongs to an extra is told by itself, where it is of use on a device.
            if required and "extra ==" not in line:
                waiting.append(required[0])
    yield from sorted(found)
    yield f"adapters of other packages left out: {len(registry().problems)}"


def _settings(loaded: Loaded | None, problems: list[str]) -> Iterator[str]:
    """All that are set, their texts by length alone."""
    for problem in problems:
        yield f"problem: {hidden_words(problem)}"
    if loaded is None:
        return
    hidden = set(free_texts(loaded.settings))
    places = {name: _kind_of_place(origin) for name, origin in loaded.origins.items()}
    for section in type(loaded.settings).model_fields:
        values = getattr(loaded.settings, section)
        assert isinstance(values, BaseModel)
        for name, info in type(values).model_fields.items():
            value = getattr(values, name)
            if value == info.get_default():
                continue
            shown = _shown(value)
            if any(place == f"[{section}] {name}" for place, _ in hidden):
                shown = f"(a text of {len(str(value))} signs)"
            origin = next(
                (
                    where
                    for path, where in places.items()
                    if f"{path}.".startswith(f"{section}.{name}.")
                ),
                "",
            )
            yield f"[{section}] {name} = {shown}" + (f"  ({origin})" if origin else "")


def _shown(value: Any) -> str:
    return toml_value(value) if not isinstance(value, dict) else json.dumps(value)


def _kind_of_place(origin: str) -> str:
    if origin.startswith("--"):
        return "a flag"
    return "the environment" if re.fullmatch(r"MIEN_\w+", origin) else "a file"


def hidden_words(problem: str) -> str:
    """A sentence on settings without what a person has written into them."""
    sections = "|".join(Settings.model_fields)
    text = re.sub(r"\"[^\"]*\"", '"…"', problem)
    text = re.sub(rf"\[(?!(?:{sections})[\].])[^\]]*\]", "[…]", text)
    text = re.sub(r"\bMIEN_\w+", "MIEN_…", text)
    return re.sub(r" is (?!\"…\")[^,]*, but", " is …, but", text)


def _doctor(checks: Iterable[Check]) -> Iterator[str]:
    for check in checks:
        says = hidden_words(check.says) if check.name == "settings" else check.says
        yield f"{check.state:<8}{check.name:<15}{says}" + (f" | {check.fix}" if check.fix else "")


def _models(settings: Settings) -> Iterator[str]:
    """Digests: of the models, their manifest and the face detectors."""
    from edge.perception.manifest import MANIFEST, load_manifest
    from edge.process.regular_files import read_regular

    folder = models_folder(settings.models.folder)
    files = [folder / MANIFEST, *sorted(fetched_folder(settings.models.folder).glob("*.tflite"))]
    claims: dict[Path, str] = {}
    try:
        manifest = load_manifest(folder)
        for entry in (manifest.face, manifest.voice):
            claims[folder / entry.file] = entry.sha256
    except MienError as error:
        yield str(error)
    for number, file in enumerate([*files, *claims]):
        name = file.name if settings.models.folder == "auto" else f"file {number}"
        try:
            digest = hashlib.sha256(read_regular(file, _LARGEST_MODEL)).hexdigest()
        except OSError as error:
            yield f"{name}: {error.strerror}"
            continue
        wrong = file in claims and claims[file] != digest
        yield f"{name} {digest}" + (" (not what the manifest says)" if wrong else "")


def _record(folders: Iterable[str] | None) -> Iterator[str]:
    """What was kept of crashes, newest last."""
    for folder in record_folders() if folders is None else folders:
        try:
            entries = read_record(folder)
        except FileNotFoundError:
            continue
        except OSError as error:
            yield f"there is a record that may not be read ({error.strerror}): ask as root, or as mien"
            continue
        for entry in entries:
            at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(float(entry["at"])))
            yield f"{at} {entry['kind']} {entry['part']}"
            for line in str(entry["text"]).splitlines():
                yield f"    {line}"


def _journal(ask: Ask) -> Iterator[str]:
    """The last lines of the service, but none of its events, which are moods."""
    printed = ask(
        *(
            "journalctl",
            f"--unit={UNIT}",
            f"--lines={JOURNAL_LINES}",
            "--no-pager",
            "--output=json",
        ),
        "--output-fields=MESSAGE,__REALTIME_TIMESTAMP,PRIORITY",
    )
    seen = False
    for line in printed.splitlines():
        try:
            entry = json.loads(line)
            at_s = int(entry["__REALTIME_TIMESTAMP"]) / 1e6
        except (ValueError, KeyError, TypeError):
            continue
        message = entry.get("MESSAGE")
        if not isinstance(message, str) or message.lstrip().startswith("{"):
            continue
        seen = True
        yield f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(at_s))} {message}"
    if not seen:
        yield "nothing to be read: ask as root, or as a member of the group systemd-journal"
