"""The microphone: a live level, and whether a spoken sentence comes in well."""

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.build.appliance import open_speech_detector
from edge.build.sensors import open_microphone
from edge.config.schema import Settings
from edge.diagnostics.trying.guide import Guide, NotWiredError
from edge.hardware.host import Host
from edge.messages import SAMPLE_RATE_HZ
from edge.outputs.leds import LedSettings, recording_light
from edge.perception.speech_gate import BLOCK_SAMPLES
from edge.sensors.microphone_health import CLIPPED

SENTENCE: Final = "The ferry to the island leaves at ten past nine and calls at two small harbours."
QUIET_DB: Final = -45.0
"""Speech under this level, in dB of full scale, is lost in the converter's own noise on many devices."""
LOUD_SHARE: Final = 0.002
"""Part of the speech's samples that may be cut off."""
APART_DB: Final = 10.0
"""So much louder than the room a voice has to be."""
LEAST_S: Final = 0.5
"""Of speech, to judge it."""
LISTEN_S: Final = 8.0
"""Without anybody to press Enter."""
FLOOR_DB: Final = -100.0
BAR: Final = 40


@dataclass
class Heard:
    """Levels of what has come in, block by block."""

    speech: list[float] = field(default_factory=list)
    """Mean squares of the blocks that are speech."""
    rest: list[float] = field(default_factory=list)
    clipped: int = 0
    """Samples of speech that were cut off."""
    loudest: float = 0.0

    def add(self, block: NDArray[np.float32], is_speech: bool) -> float:
        """Take a block of samples, -1 to 1; its level in dB of full scale."""
        power = float(np.mean(np.square(block, dtype=np.float64)))
        (self.speech if is_speech else self.rest).append(power)
        loud = np.abs(block)
        self.loudest = max(self.loudest, float(loud.max()))
        if is_speech:
            self.clipped += int(np.count_nonzero(loud >= CLIPPED))
        return decibels(power)

    @property
    def speech_s(self) -> float:
        """Seconds of speech."""
        return len(self.speech) * BLOCK_SAMPLES / SAMPLE_RATE_HZ

    def judge(self, guide: Guide) -> None:
        """Say how it came in."""
        speech, rest = (decibels(float(np.mean(part))) if part else FLOOR_DB
                        for part in (self.speech, self.rest))  # fmt: skip
        if self.loudest == 0.0:
            guide.judge(
                False, "nothing but zeros came in.",
                "The microphone is muted: switch it on, or unmute it with alsamixer (F4, then M).",
            )  # fmt: skip
        elif self.speech_s < LEAST_S:
            guide.judge(
                False, f"no voice was heard; the room is at {rest:.0f} dB.",
                "Speak louder, closer, and longer than a word.",
                "Another microphone may be meant: `mien devices` lists them, --microphone NAME or "
                "[microphone] device chooses one.",
            )  # fmt: skip
        elif self.clipped > LOUD_SHARE * len(self.speech) * BLOCK_SAMPLES:
            guide.judge(
                False, f"too loud: the voice is cut off (at {speech:.0f} dB).",
                "Lower the microphone's level with alsamixer (F4), or move away from it.",
            )  # fmt: skip
        elif speech < QUIET_DB:
            guide.judge(
                False, f"too quiet: the voice is at {speech:.0f} dB.",
                "Raise the microphone's level with alsamixer (F4), or come closer.",
            )  # fmt: skip
        elif speech - rest < APART_DB:
            guide.judge(
                False, f"the voice, at {speech:.0f} dB, hardly stands out of the room, at {rest:.0f} dB.",
                "Come closer, or switch off what hums or plays.",
            )  # fmt: skip
        else:
            guide.judge(
                True, f"the voice is at {speech:.0f} dB and the room at {rest:.0f} dB; "
                f"{self.speech_s:.1f} s of speech were heard.",
            )  # fmt: skip


def decibels(power: float) -> float:
    """The level of a mean square, in dB of full scale."""
    return max(10 * math.log10(power), FLOOR_DB) if power > 0 else FLOOR_DB


def bar(level_db: float, is_speech: bool) -> str:
    """One line of a live level."""
    full = round(BAR * min(max((level_db + 70) / 70, 0.0), 1.0))
    return (
        f"[{'#' * full}{'-' * (BAR - full)}] {level_db:4.0f} dB {'voice' if is_speech else '     '}"
    )


def try_microphone(settings: Settings, host: Host, guide: Guide) -> None:
    """Listen to a sentence; nothing is kept.

    Raises:
        MienError: it cannot be opened or used; says what to do.
        StoppedError: somebody has had enough.
    """
    if not settings.microphone.enabled:
        raise NotWiredError(
            "The microphone is switched off: set [microphone] enabled to true."
        )  # fmt: skip
    detector = open_speech_detector(settings)
    light = recording_light(settings.of(LedSettings), host)
    heard = Heard()
    pending: NDArray[np.float32] = np.empty(0, np.float32)
    told = 0
    try:
        light.sensor_opened("microphone")
        microphone = open_microphone(settings, host)
        try:
            guide.say(f"This is {microphone.name}. Nothing of what it hears is kept.")
            guide.say()
            guide.say(f'Say: "{SENTENCE}"')

            def listen() -> None:
                nonlocal pending, told
                audio = microphone.read(0.2)
                if audio is None:
                    return
                pending = np.concatenate([pending, audio.samples])
                while len(pending) >= BLOCK_SAMPLES:
                    block, pending = pending[:BLOCK_SAMPLES], pending[BLOCK_SAMPLES:]
                    is_speech = detector.probability(block) >= settings.voice.gate_threshold
                    level_db = heard.add(block, is_speech)
                    told += 1
                    if guide.live and told % 4 == 0:
                        print(f"\r{bar(level_db, is_speech)} ", end="", file=guide.out, flush=True)
                    elif not guide.live and told % 32 == 0:
                        print(bar(level_db, is_speech).rstrip(), file=guide.out, flush=True)

            guide.wait(listen, LISTEN_S)
        finally:
            microphone.close()
    finally:
        light.close()
    guide.say()
    heard.judge(guide)
