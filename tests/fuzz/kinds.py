"""What is damaged, and which command has to bear it. A further kind is one more entry of `KINDS`."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
from PIL import Image

from edge.calibration.prior import Baseline, Calibration, fingerprint
from edge.calibration.storage import save_calibration
from edge.config.paths import MODELS, fetched_folder
from edge.config.render import default_toml
from edge.perception.detector_files import DETECTOR_FILES
from edge.perception.manifest import MANIFEST, load_manifest
from tests.fakes.clips import beep, make_clip
from tests.fakes.portrait import draw_portrait
from tests.fuzz.bundles import CAN_SIGN, damage_bundle, make_bundle
from tests.fuzz.clips import CLIPS, damage_clip, make_clips, play
from tests.fuzz.mutations import NASTY, another_kind, bytes_of, json_of, toml_of
from tests.fuzz.sockets import Play, heard_well, honest_reader, ill_manager, ill_reader, occupy

Arguments = list[str]
TABLES: Final = (
    *("voice.front_end", "voice.front_end", "voice.heard", "voice.input", "voice.output"),
    *("face.geometry", "face.ferplus", "face.class_maps.output", "face.input", "face.output"),
)
"""Of the manifest: what a net is computed with."""
NETS: Final = ("face_int8.tflite", "voice_int8.tflite")
PICTURES: Final = {
    "a.jpg": "RGB", "b.jpg": "CMYK", "c.png": "RGB", "d.png": "I;16", "e.png": "P", "f.tif": "RGB",
    "g.tif": "F", "h.tif": "I;16", "picture.gif": "P", "j.webp": "RGB", "k.bmp": "RGB", "l.ppm": "RGB",
    "m.png": "RGB",
}  # fmt: skip
WORDS: Final = (
    *(one for one in map(str, NASTY) if "\0" not in one and not one.isdecimal() and one != "auto"),
    *("~nobody/x", "x" * 300, "x/" * 3_000, "\udcff", "7\u00b2", "tcp://x"),
)
"""For a command line, which holds no null character; none is the number of a device."""
VARIABLES: Final = (
    *("MODELS__FOLDER", "CALIBRATION__FILE", "DISPLAY__KIND", "EVENTS__TO", "CAMERA__SOURCE"),
    *("VOICE__GATE_THRESHOLD", "LEDS__RED", "DISPLAY__WIDTH_PX", "FUSION__PRIOR", "X__Y", "_"),
)


@dataclass(frozen=True)
class Command:
    """What is run, where the arguments of `mien` are not all of it."""

    arguments: Arguments
    environment: dict[str, str] = field(default_factory=dict)
    beside: list[Play] = field(default_factory=list)
    """What is played meanwhile, each by a process of its own."""
    missed: Callable[[], list[str]] = list
    """Asked when all has ended: what is wrong, beyond what every case is judged by."""


@dataclass(frozen=True)
class Originals:
    """A folder with everything that is damaged, undamaged."""

    folder: Path

    def make(self) -> "Originals":
        """Put it there."""
        models = self.folder / "models"
        (models / "fetched").mkdir(parents=True)
        for name in (MANIFEST, *NETS):
            shutil.copy(MODELS / name, models)
        for detector in DETECTOR_FILES.values():
            if (fetched_folder() / detector.name).is_file():
                shutil.copy(fetched_folder() / detector.name, models / "fetched")
        portrait = Image.fromarray(draw_portrait()).resize((256, 256))
        exif = Image.Exif()
        exif[0x0112], exif[0x010F], exif[0x8825] = 6, "maker", {1: "N", 2: (1.0, 2.0, 3.0)}
        for name, mode in PICTURES.items():
            _as_mode(portrait, mode).save(self.folder / name, **_options(name, exif))
        make_clip(self.folder / "beep.wav", sound=beep(0.3, 0.1))
        make_clips(self.folder)
        manifest = load_manifest(MODELS)
        at_rest = (-2.8, -3.5, -2.8, -2.8, -1.6, -2.8, -0.9)
        face, voice = (
            Baseline(at_rest, 4.5, fingerprint(entry)) for entry in (manifest.face, manifest.voice)
        )
        save_calibration(Calibration(face, voice), self.folder / "calibration.json")
        (self.folder / "default.toml").write_text(default_toml())
        if CAN_SIGN:
            make_bundle(self.folder)
        return self

    def stamps(self) -> list[tuple[str, int, int]]:
        """Of all files, to see that none was changed."""
        files = [(path, path.lstat()) for path in sorted(self.folder.rglob("*"))]
        return [(str(path), status.st_mtime_ns, status.st_size) for path, status in files]

    def copy_models(self, target: Path) -> Path:
        """The models in *target*; files of their own, which may be damaged."""
        return Path(shutil.copytree(self.folder / "models", target / "models"))

    def copy(self, name: str, target: Path) -> Path:
        """One file in *target*."""
        return Path(shutil.copy(self.folder / name, target))


def _as_mode(portrait: Image.Image, mode: str) -> Image.Image:
    if mode == "F":
        return Image.fromarray(np.asarray(portrait.convert("L"), np.float32) / 255)
    if mode == "I;16":
        return Image.fromarray(np.asarray(portrait.convert("L"), np.uint16) * 257)
    return portrait.convert(mode)


def _options(name: str, exif: Image.Exif) -> dict[str, Any]:
    takes_exif = name.endswith((".jpg", ".webp", "m.png"))
    options: dict[str, Any] = {"exif": exif} if takes_exif else {}
    return options | ({"compression": "tiff_lzw"} if name == "f.tif" else {})


def _settings(folder: Path, **values: object) -> Arguments:
    """A settings file: models__folder=... is [models] folder."""
    file = folder / "mien.toml"
    lines = []
    for name, value in values.items():
        section, key = name.split("__")
        lines += [f"[{section}]", f"{key} = {json.dumps(str(value))}"]
    file.write_text("\n".join(lines))
    return ["--config", str(file)]


def _listen(
    originals: Originals, more: Arguments, to: str = "events.jsonl", seconds: float = 0.1
) -> Arguments:
    """Run for a moment on a sound."""
    clip = ["--clip", str(originals.folder / "beep.wav"), "--repeat", "--no-face"]
    return [
        *("run", *clip, "--seconds", f"{seconds:g}"),
        *("--display", "none", "--events", to, *more),
    ]


def _explain(originals: Originals, more: Arguments) -> Arguments:
    return ["explain", str(originals.folder / "c.png"), "--out", "sheet.png", *more]


def _spoil(random: Random, file: Path, damage: Callable[[Random, str], str]) -> None:
    """Put another kind of file in the place of *file*, or damage its bytes, or mostly its text."""
    what = random.random()
    if what < 0.05:
        another_kind(random, file)
    elif what < 0.2:
        file.write_bytes(bytes_of(random, file.read_bytes()))
    else:
        text = damage(random, file.read_text())
        file.write_text(text, encoding="utf-8", errors="surrogatepass")


def models(originals: Originals, folder: Path, random: Random) -> Arguments:
    """A net or a detector is another file, or damaged. The manifest knows its hash no more."""
    copied = originals.copy_models(folder)
    files = sorted(copied.rglob("*.tflite"))
    for file in random.sample(files, random.choice((1, 1, len(files)))):
        if random.random() < 0.25:
            another_kind(random, file)
            continue
        whole = file.read_bytes()
        while (damaged := bytes_of(random, whole)) == whole:
            continue
        file.write_bytes(damaged)
    settings = _settings(folder, models__folder=copied)
    return random.choice((_explain, _listen))(originals, settings)


def manifests(originals: Originals, folder: Path, random: Random) -> Arguments:
    """The manifest says what cannot be."""
    copied = originals.copy_models(folder)
    file = copied / MANIFEST
    _spoil(random, file, lambda random, text: json_of(random, text, TABLES))
    settings = _settings(folder, models__folder=copied)
    commands: list[Callable[[Originals, Arguments], Arguments]] = [_explain, _listen]
    if random.random() < 0.2:
        return ["calibrate", "--show", *settings]
    return random.choice(commands)(originals, settings)


def pictures(originals: Originals, folder: Path, random: Random) -> Arguments:
    """The photograph is damaged."""
    file = originals.copy(random.choice(list(PICTURES)), folder)
    if random.random() < 0.05:
        another_kind(random, file)
    else:
        file.write_bytes(bytes_of(random, file.read_bytes()))
    return ["explain", str(file), "--out", "sheet.png"]


def settings(originals: Originals, folder: Path, random: Random) -> Arguments:
    """The settings file is damaged or says what cannot be."""
    file = originals.copy("default.toml", folder)
    _spoil(random, file, toml_of)
    given = ["--config", str(file)]
    command = random.randrange(6)
    if command == 0:
        return _listen(originals, given)
    if command == 1:
        return _explain(originals, given)
    if command == 2:
        return ["calibrate", "--show", *given]
    return ["config", "check", str(file)] if command < 5 else ["config", "show", *given]


def calibrations(originals: Originals, folder: Path, random: Random) -> Arguments:
    """What is known of a person at rest is damaged."""
    file = originals.copy("calibration.json", folder)
    _spoil(random, file, json_of)
    given = _settings(folder, calibration__file=file)
    return random.choice((["calibrate", "--show", *given], _listen(originals, given)))


def arguments(originals: Originals, folder: Path, random: Random) -> Command:
    """The command line or the environment says what cannot be. Devices are not named."""
    word = random.choice((*WORDS, f"{folder}/missing/x"))
    own = word.replace("..", "__").lstrip("/")  # what is to be written to, in the case's own folder
    if random.random() < 0.4:
        command = random.choice(
            (_listen(originals, []), ["config", "show"], ["calibrate", "--show"])
        )
        return Command(command, {f"MIEN_{random.choice(VARIABLES)}": word})
    brief = ["--display", "none", "--seconds", "0.1"]
    clip, picture = (str(originals.folder / name) for name in ("beep.wav", "c.png"))
    commands: tuple[Arguments, ...] = (
        ["run", "--clip", clip, *brief, "--config", word],
        ["run", "--clip", clip, *brief, "--events", own],
        ["run", "--clip", clip, "--display", own, "--seconds", "0.1"],
        ["run", "--clip", word, *brief],
        ["run", "--no-voice", "--camera", word.replace("/etc/passwd", "/dev/null"), *brief],
        [
            "explain",
            *random.choice(([word], [picture, "--out", own], [picture, "--emotion", word])),
        ],
        ["bench", "--clip", word, "--seconds", random.choice(("0.1", word))],
    )
    return Command(random.choice(commands))


def clips(originals: Originals, folder: Path, random: Random) -> Arguments:
    """The clip is damaged, or something else than its name says."""
    original = originals.folder / random.choice(CLIPS)
    return play(random, damage_clip(random, original, folder))


def readers(originals: Originals, folder: Path, random: Random) -> Command:
    """Those who read the events socket do as they please; one of them is honest."""
    path, heard = folder.parent / "work/sock", folder.parent / "work/events.jsonl"
    takes_away = random.random() < 0.15
    ill = [ill_reader(random, path, takes_away) for _ in range(random.choice((1, 1, 2)))]
    seconds = 2.0 if takes_away else random.choice((0.5, 1.0))  # it looks once a second
    return Command(
        _listen(originals, [], f"unix:{path}", seconds),
        beside=[honest_reader(path, heard), *ill],
        missed=lambda: heard_well(heard),
    )


def servers(originals: Originals, folder: Path, random: Random) -> Command:
    """The service manager is no good, or something ill is where the events socket is to be."""
    work = folder.parent / "work"
    if random.random() < 0.4:
        ill = occupy(random, work / "sock")
        return Command(_listen(originals, [], f"unix:{work / 'sock'}"), {}, [ill] if ill else [])
    environment, manager = ill_manager(random, work / "notify")
    arguments = _listen(originals, [], seconds=0.5)
    return Command(arguments, environment, [manager] if manager else [])


def bundles(originals: Originals, folder: Path, random: Random) -> Arguments:
    """A signed bundle is damaged; one that is taken all the same has to be whole."""
    return damage_bundle(random, originals.folder, folder)


Prepare = Callable[[Originals, Path, Random], Arguments | Command]
KINDS: Final[dict[str, Prepare]] = {
    "models": models,
    "manifests": manifests,
    "pictures": pictures,
    "settings": settings,
    "calibrations": calibrations,
    "arguments": arguments,
    "clips": clips,
    "readers": readers,
    "servers": servers,
    **({"bundles": bundles} if CAN_SIGN else {}),
}
"""Each puts what is damaged into the folder `in` of its place, beside which is `work`, where `mien` is
run; and gives the arguments, or a line for bash."""


def digest(folder: Path) -> dict[str, str]:
    """What lies in *folder*, to see afterwards that nothing was written there."""
    found = {}
    for path in sorted(folder.rglob("*")):
        regular = path.is_file() and not path.is_symlink() and path.stat().st_size < 10**8
        content = hashlib.sha256(path.read_bytes()).hexdigest() if regular else ""
        found[str(path.relative_to(folder))] = content
    return found
