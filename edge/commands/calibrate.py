"""`mien calibrate`."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from edge.commands.options import ConfigOption, examples
from edge.commands.paths import local_file
from edge.commands.paths import seconds as as_seconds
from edge.errors import SettingsError
from edge.process.limits import check_limits

EXAMPLES: Final = examples(
    "mien calibrate                   look at the camera, then read a sentence aloud",
    "mien calibrate --no-voice        the face alone",
    "mien calibrate --clip rest.mp4   from a recording of the person at rest",
    "mien calibrate --show",
    "mien calibrate --reset",
)


def calibrate(
    clip: Annotated[
        Path | None,
        typer.Option(
            parser=local_file,
            metavar="FILE",
            help="Watch this video or sound file instead.",
            show_default=False,
        ),
    ] = None,
    seconds: Annotated[
        float,
        typer.Option(
            parser=as_seconds, metavar="SECONDS", help="Of face, then of voice: 2 to 120."
        ),
    ] = 5.0,
    no_face: Annotated[bool, typer.Option("--no-face", help="Leave the face as it is.")] = False,
    no_voice: Annotated[bool, typer.Option("--no-voice", help="Leave the voice as it is.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Print what is known and exit.")] = False,
    reset: Annotated[bool, typer.Option("--reset", help="Forget it and exit.")] = False,
    config: ConfigOption = None,
) -> None:
    """Learn what you look and sound like at rest.

    Keeps sixteen numbers, no picture and no sound. From then on `mien run` counts for less what
    your resting face and voice are mistaken for.
    """
    if show and reset:
        raise SettingsError("--show and --reset exclude each other; drop one.")
    if (show or reset) and (clip is not None or no_face or no_voice):
        raise SettingsError("--show and --reset look at nobody; drop the other flags.")
    if no_face and no_voice:
        raise SettingsError("--no-face and --no-voice together leave nothing to do; drop one.")
    if not 2 <= seconds <= 120:
        raise SettingsError("--seconds has to be a number from 2 to 120.")
    flags: dict[str, tuple[str, Any]] = {}
    if no_face:
        flags["camera.enabled"] = ("--no-face", False)
    if no_voice:
        flags["microphone.enabled"] = ("--no-voice", False)
    from edge.config.load import load_settings

    settings = load_settings(config, flags=flags).settings
    if not settings.camera.enabled and not settings.microphone.enabled and not (show or reset):
        raise SettingsError(
            "Camera and microphone are both switched off; set [camera] enabled or "
            "[microphone] enabled to true."
        )
    from edge.commands.inputs import keep_inputs

    keep_inputs(settings, clip, config)
    from edge.commands.calibrate_session import reset_calibration, run_calibration, show_calibration

    if show:
        show_calibration(settings)
    elif reset:
        reset_calibration(settings)
    else:
        check_limits()
        run_calibration(settings, clip=clip, seconds=seconds)
