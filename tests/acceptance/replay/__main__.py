"""Plays a clip through the readers and the fusion in lockstep, to compare two versions of Mien.

    python -m tests.acceptance.replay var/demo.mp4 --out before.jsonl
    python -m tests.acceptance.replay var/demo.mp4 --against before.jsonl

A real run drops what comes too late; here every frame and every block of sound is read at its own
time in the clip, so that the same version gives the same events to the last digit. What differs
after a change that was to change nothing is printed, field by field.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from edge.build.appliance import fusion_options
from edge.config.paths import fetched_folder, models_folder
from edge.config.schema import Settings
from edge.errors import MienError
from edge.fusion import Fusion, Reading
from edge.messages import SAMPLE_RATE_HZ, Audio, Frame, Sense, mood_of
from edge.outputs.events import mood_event
from edge.perception.face_finder import FaceFinder
from edge.perception.face_reader import FaceReader
from edge.perception.manifest import load_manifest
from edge.perception.silero import SileroDetector
from edge.perception.speech_gate import SpeechGate
from edge.perception.voice_reader import open_voice_reader
from edge.process.native_output import mute_native_code
from edge.sensors.clip_decoder import ClipInfo, pictures, probe_clip, sound, to_rgb

SHOWN_DIFFERENCES: Final = 10
Event = dict[str, Any]


Moment = tuple[float, Frame | Audio]
"""A picture or a block of sound, and its time in seconds."""


def moments(info: ClipInfo) -> list[Moment]:
    """Every picture and every block of sound of a clip, in order of their times."""
    found: list[Moment] = [(at_s, Frame(to_rgb(picture), at_s)) for at_s, picture in pictures(info)]
    heard = 0
    for block in sound(info):
        heard += len(block)
        found.append((heard / SAMPLE_RATE_HZ, Audio(block, heard / SAMPLE_RATE_HZ)))
    return sorted(found, key=lambda moment: moment[0])


def replay(seen_and_heard: Iterable[Moment]) -> Iterator[Event]:
    """The mood event after each picture and each block of sound."""
    settings, folder = Settings(), models_folder()
    manifest = load_manifest(folder)
    face, gate = settings.face, SpeechGate(SileroDetector())
    finder = FaceFinder(fetched_folder(), face.range, face.min_score, face.search_width_px)
    voice_reader = open_voice_reader(folder, manifest.voice)
    fusion = Fusion(fusion_options(settings, manifest))
    with closing(FaceReader(finder, folder, manifest.face)) as face_reader:
        for at_s, moment in seen_and_heard:
            reading: Reading | None
            if isinstance(moment, Frame):
                reading = face_reader.read(moment)
            else:
                reading = voice_reader.read(gate.hear(moment))
            belief = fusion.update([] if reading is None else [reading], at_s)
            face_sense, voice_sense = (
                Sense("ok", of.present, of.quality, of.share) for of in (belief.face, belief.voice)
            )
            yield mood_event(mood_of(belief, face_sense, voice_sense), at_s)


def differences(before: list[Event], now: list[Event]) -> Iterator[str]:
    """A line for every field of every event that is not the same."""
    for number, (old, new) in enumerate(zip_longest(before, now), 1):
        if old is None or new is None:
            yield f"event {number}: {'only now' if old is None else 'no longer there'}"
            continue
        for field in sorted(old.keys() | new.keys()):
            if old.get(field) != new.get(field):
                yield f"event {number}, {field}: {old.get(field)} -> {new.get(field)}"


def main() -> int:
    """Record or compare; the exit code is 1 when something differs."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.acceptance.replay",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("clip", type=Path)
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--out", type=Path, help="write the events here, a line each")
    given.add_argument("--against", type=Path, help="compare them with the events written before")
    options = parser.parse_args()
    mute_native_code()
    try:
        events = list(replay(moments(probe_clip(options.clip))))
        if options.out is not None:
            options.out.write_text("".join(f"{json.dumps(event)}\n" for event in events))
            print(f"{len(events)} events written to {options.out}")
            return 0
        before = [json.loads(line) for line in options.against.read_text().splitlines()]
    except (MienError, OSError, ValueError) as error:
        print(f"replay: {error}", file=sys.stderr)
        return 2
    found = list(differences(before, events))
    print("\n".join(found[:SHOWN_DIFFERENCES]))
    print(f"{len(events)} events, {len(found)} fields differ")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
