"""In the guest: what Mien shows of what it sees and hears, on the display and on the pins."""

import json
import os
from pathlib import Path
from typing import Final

from tests.acceptance.common.service import (
    READY_S,
    CannotTryError,
    NotSoError,
    main_pid,
    need,
    show,
    wait_for,
)
from tests.acceptance.devices.face_on_display import cut
from tests.acceptance.devices.observed_outputs import FILM, World, brightness, pictures
from tests.acceptance.devices.simulation_control import tell

EMOTION_PINS: Final = {"happy": 5, "sad": 6, "surprise": 13, "angry": 19}
RGB_PINS: Final = (17, 27, 22)
RECORDING_PIN: Final = 23
"""All as in config.toml."""
SEEN_S: Final = 30.0
"""For a mood to be seen, believed and shown."""
COLOR_APART: Final = 0.15


def boots(world: World) -> str:
    """Everything is there, and the service said READY at the first attempt."""
    wait_for("READY", lambda: show("ActiveState") == "active", READY_S)
    need(show("NRestarts") == "0", f"it took {show('NRestarts')} restarts")
    world.pid = main_pid()
    began_us, ready_us = (
        int(show(name))
        for name in ("ExecMainStartTimestampMonotonic", "ActiveEnterTimestampMonotonic")
    )
    nodes = ["/dev/video0", "/dev/snd/pcmC0D0c", "/dev/i2c-1", "/dev/gpiochip0"]
    missing = [node for node in nodes if not Path(node).exists()]
    need(not missing, f"missing: {', '.join(missing)}")
    bus = Path("/sys/class/i2c-dev/i2c-1/name").read_text(encoding="ascii").strip()
    return (
        f"Linux {os.uname().release}; READY {(ready_us - began_us) / 1e6:.1f} s after its process "
        f"began; i2c-1 is {bus!r}"
    )


def splash_first(world: World) -> str:
    """The display showed the splash, bit for bit, before Mien's own process had begun."""
    opened, closed = cut((FILM / "splash.pages").read_bytes())
    began_s = int(show("ExecMainStartTimestampMonotonic")) / 1e6
    film = pictures()
    lit = [picture for picture in film if any(picture.pages)]
    need(bool(lit), "the display has never shown anything")
    need(lit[0].pages in (opened, closed), "the first picture is not the splash")
    need(lit[0].t_s < began_s, "the splash came after Mien's process had begun")
    own = [picture for picture in lit if picture.t_s > began_s]
    need(bool(own), "Mien has not shown anything yet")
    first = next((p for p in own if p.pages not in (opened, closed)), own[-1])
    return (
        f"the splash's picture bit for bit, {began_s - lit[0].t_s:.1f} s before Mien's process "
        f"began and {first.t_s - lit[0].t_s:.1f} s before its first picture"
    )


def happy(world: World) -> str:
    """A smiling face and speech: the right face on the display."""
    tell("scene", "happy")
    took_s, seen = world.wait_for_face("happy", SEEN_S)
    return (
        f"{took_s:.1f} s after she came into view; read back from the display it differs in "
        f"{seen.apart:.0%} of the lit pixels from a happy face, in {seen.other_apart:.0%} from the "
        f"next, {seen.other}; Mien says {world.ear.shown}"
    )


def lights(world: World) -> str:
    """The lines' levels while a happy face is seen."""
    try:
        world.wait_for_face("happy", SEEN_S)
    except NotSoError as error:
        raise CannotTryError(f"no happy face is shown ({error})") from error
    colors = json.loads((FILM / "colours.json").read_text(encoding="utf-8"))
    measured = brightness([*EMOTION_PINS.values(), *RGB_PINS, RECORDING_PIN])
    need(
        measured[RECORDING_PIN] == 1.0, f"recording: high {measured[RECORDING_PIN]:.0%} of the time"
    )
    own = measured[EMOTION_PINS["happy"]]
    need(own > 0.1, f"the happy LED is lit {own:.0%} of the time")
    lit = {name for name, number in EMOTION_PINS.items() if measured[number] > 0}
    need(lit == {"happy"}, f"lit: {', '.join(sorted(lit))}")
    rgb = [measured[number] for number in RGB_PINS]
    right = colors["happy"]
    need(max(rgb) > 0.02, "the RGB LED is dark")
    ratios = [part / max(rgb) for part in rgb]
    expected = [part / max(right) for part in right]
    gap = max(abs(one - two) for one, two in zip(ratios, expected, strict=True))
    need(gap < COLOR_APART, f"red, green, blue shine as {ratios}, which should be {expected}")
    told = ":".join(f"{ratio:.2f}" for ratio in ratios)
    right_told = ":".join(f"{ratio:.2f}" for ratio in expected)
    return (
        f"recording LED high throughout; happy LED high {own:.0%} of the time, the others never; "
        f"red:green:blue {told}, to be {right_told}"
    )


def other_faces(world: World) -> str:
    """Surprise, and nobody there."""
    tell("scene", "surprise")
    first_s, _ = world.wait_for_face("surprise", SEEN_S)
    tell("scene", "nobody")
    tell("sound", "quiet")
    second_s, _ = world.wait_for_face("nobody", SEEN_S)
    dark = brightness(list(EMOTION_PINS.values()), samples=60)
    need(not any(dark.values()), f"LEDs of emotions are lit with nobody there: {dark}")
    return (
        f"surprise {first_s:.1f} s after her face has changed; the sleeping face {second_s:.1f} s "
        "after she left, no LED of an emotion lit"
    )


def voice(world: World) -> str:
    """Speech is heard, and that it ends."""
    need(world.ear.state("voice") == "ok", f"the voice is {world.ear.state('voice')}")
    tell("sound", "speech")
    heard_s = wait_for("a voice", lambda: world.ear.present("voice"), SEEN_S)
    tell("sound", "quiet")
    over_s = wait_for("silence", lambda: not world.ear.present("voice"), SEEN_S)
    return f"heard {heard_s:.1f} s after it began, nobody {over_s:.1f} s after it ended"
