"""`mien try`."""

from pathlib import Path
from typing import Annotated, Final

import typer

from edge.commands.options import ConfigOption, examples
from edge.commands.paths import local_file
from edge.errors import SettingsError
from edge.process.limits import check_limits

THINGS: Final = ("display", "lights", "microphone", "camera")
EXAMPLES: Final = examples(
    "mien try                                 all that is wired, one after the other",
    "mien try display                         all nine faces, and a frame for the offsets",
    "mien try lights --seconds 1              each LED by name and pin, a second each",
    "mien try microphone --microphone USB     a live level, and how a sentence comes in",
    "mien try camera --picture seen.png       rate, brightness, and the face that is found",
)


def try_parts(
    thing: Annotated[
        str | None,
        typer.Argument(
            metavar="[THING]", help="display, lights, microphone or camera.", show_default=False
        ),
    ] = None,
    seconds: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", help="For each step where nobody sits at a terminal: 0.1 to 60."
        ),
    ] = 3.0,
    camera: Annotated[
        str | None,
        typer.Option(metavar="SOURCE", help="As for mien run.", show_default=False),
    ] = None,
    microphone: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="As for mien run.", show_default=False),
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option(
            parser=local_file,
            metavar="FILE.png",
            help="Keep the camera's picture; else none is.",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Try what is wired, one thing at a time.

    Says what you should see or hear, and what to do when you do not. Each step waits for Enter; Ctrl-C
    ends it, with everything dark and off. Exits with 0 if all is well as far as Mien can tell, with 1
    if something is not or is not wired, with 3 or 5 if a sensor or an output cannot be used.
    """
    if thing is not None and thing not in THINGS:
        raise SettingsError(f'There is no "{thing}" to try: choose one of {", ".join(THINGS)}.')
    if not 0.1 <= seconds <= 60:
        raise SettingsError("--seconds has to be a number from 0.1 to 60.")
    if picture is not None and (thing not in (None, "camera") or picture.suffix.lower() != ".png"):
        raise SettingsError("--picture is for the camera, and takes the name of a .png file.")
    flags = {}
    if camera is not None:
        flags["camera.source"] = ("--camera", camera)
    if microphone is not None:
        flags["microphone.device"] = ("--microphone", microphone)
    from edge.config.load import load_settings

    settings = load_settings(config, flags=flags).settings
    check_limits()
    from edge.process.regular_files import is_one_of

    if picture is not None and is_one_of(picture, [config]):
        raise SettingsError(
            f"{picture} is read from, and is not written over; use another --picture."
        )
    from edge.diagnostics.trying.session import run_session

    raise typer.Exit(run_session(settings, thing, seconds, picture))
