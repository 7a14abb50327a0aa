"""The command line: `mien run`, `try`, `calibrate`, `explain`, `config`, `devices`, `doctor`, `bench`.

Everything heavy is imported inside the command that needs it, so that `mien --help` is quick on a
Raspberry Pi Zero as well.
"""

import errno
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from edge import __version__
from edge.commands.calibrate import EXAMPLES as CALIBRATE_EXAMPLES
from edge.commands.calibrate import calibrate
from edge.commands.config import app as config_app
from edge.commands.doctor import EXAMPLES as DOCTOR_EXAMPLES
from edge.commands.doctor import doctor
from edge.commands.explain import explain
from edge.commands.options import ConfigOption, JsonOption, examples
from edge.commands.paths import local_file
from edge.commands.paths import seconds as as_seconds
from edge.commands.try_parts import EXAMPLES as TRY_EXAMPLES
from edge.commands.try_parts import try_parts
from edge.errors import LimitError, MienError, OutputError, SettingsError
from edge.process.crash_record import this_record
from edge.process.heap import steady_heap
from edge.process.limits import check_limits, scarcity
from edge.process.printable import printable

if TYPE_CHECKING:
    from edge.config.load import Loaded

app = typer.Typer(
    name="mien",
    help="Sees a face, hears a voice, shows the mood on a small OLED face and LEDs. Offline.",
    epilog=examples("mien run", "mien run --demo --seconds 30", "mien doctor"),
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(config_app, name="config")
app.command(epilog=CALIBRATE_EXAMPLES)(calibrate)
app.command(
    epilog=examples(
        "mien explain portrait.jpg", "mien explain portrait.jpg --emotion sad --out sad.png"
    )
)(explain)


def main() -> None:
    """Run the command line and exit; every failure is a sentence on the standard error."""
    try:
        app(prog_name="mien")
    except MienError as error:
        short = scarcity(error)
        this_record().notice("Mien", "error", short or str(error))
        _complain(short or str(error))
        sys.exit(LimitError.exit_code if short else error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader of a pipe left early; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        this_record().traceback("Mien", error)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EIO):
            _complain(
                f"The output cannot be written ({error.strerror}); make room where it goes to."
            )
            sys.exit(OutputError.exit_code)
        if short := scarcity(error):
            _complain(short)
            sys.exit(LimitError.exit_code)
        if os.environ.get("MIEN_DEBUG"):
            traceback.print_exc()
        _complain(
            f"Something happened that should not ({type(error).__name__}: {error}); please report "
            "it as an issue of Mien, with what MIEN_DEBUG=1 and the same command print."
        )
        sys.exit(70)  # EX_SOFTWARE of sysexits.h


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Print the version, or help when no command is given."""
    if version:
        print(f"mien {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit


@app.command(
    epilog=examples(
        "mien run                                  camera and microphone, or the demo clip",
        "mien run --camera /dev/video2 --no-voice  one camera, no microphone",
        "mien run --clip interview.mp4 --display terminal",
        "mien run --demo --seconds 30 --events -   JSON lines on the standard output",
    )
)
def run(
    camera: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE",
            help='"auto", a number, a path, "picamera", "csi", or an added camera.',
            show_default=False,
        ),
    ] = None,
    microphone: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help='"auto", a number, or a part of a name.', show_default=False
        ),
    ] = None,
    clip: Annotated[
        Path | None,
        typer.Option(
            parser=local_file,
            metavar="FILE",
            help="Watch this video or sound file instead.",
            show_default=False,
        ),
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Watch the demo clip instead.")] = False,
    repeat: Annotated[
        bool, typer.Option("--repeat", help="Start the clip again when it ends.")
    ] = False,
    no_face: Annotated[bool, typer.Option("--no-face", help="Do not look.")] = False,
    no_voice: Annotated[bool, typer.Option("--no-voice", help="Do not listen.")] = False,
    seconds: Annotated[
        float | None,
        typer.Option(
            parser=as_seconds,
            metavar="SECONDS",
            help="Stop so long after it is ready.",
            show_default=False,
        ),
    ] = None,
    display: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="auto, none, terminal, oled, window, or a .png or .gif file.",
            show_default=False,
        ),
    ] = None,
    events: Annotated[
        str | None,
        typer.Option(
            metavar="WHERE",
            help='"-", a path, or "unix:/path", for JSON lines.',
            show_default=False,
        ),
    ] = None,
    keep_trying: Annotated[
        bool,
        typer.Option(
            "--keep-trying",
            help="With neither camera nor microphone, show the fault and wait for them.",
        ),
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Watch, listen and show the mood until Ctrl-C.

    Without flags it takes the camera and the microphone that are there, and the demo clip when
    there are none.
    """
    if no_face and no_voice:
        raise SettingsError("--no-face and --no-voice together leave nothing to do; drop one.")
    if clip is not None and demo:
        raise SettingsError("--clip and --demo exclude each other; drop one.")
    if (clip is not None or demo) and (camera is not None or microphone is not None):
        raise SettingsError(
            "A clip stands in for both camera and microphone; drop --camera and --microphone, or "
            "drop --clip and --demo."
        )
    if (camera is not None and no_face) or (microphone is not None and no_voice):
        raise SettingsError("A sense cannot be both chosen and switched off; drop one of the two.")
    if seconds is not None and not 0 < seconds < 1e9:
        raise SettingsError("--seconds has to be a number above 0 and below a billion.")
    flags: dict[str, tuple[str, Any]] = {}
    if camera is not None:
        flags |= {"camera.source": ("--camera", camera), "camera.enabled": ("--camera", True)}
    if microphone is not None:
        flags |= {
            "microphone.device": ("--microphone", microphone),
            "microphone.enabled": ("--microphone", True),
        }
    if no_face:
        flags["camera.enabled"] = ("--no-face", False)
    if no_voice:
        flags["microphone.enabled"] = ("--no-voice", False)
    if display is not None:
        kind = Path(display).suffix.lower().removeprefix(".")
        if kind in ("png", "gif"):
            flags |= {"display.kind": ("--display", kind), "display.file": ("--display", display)}
        else:
            flags["display.kind"] = ("--display", display)
    if events is not None:
        if not events:
            raise SettingsError(
                '--events does not say where to: "-" is the standard output, else name a file or a '
                "socket (unix:/path)."
            )
        flags["events.to"] = ("--events", events)
    if display is not None:
        _check_display(display, config)
    settings = _load(config, flags).settings
    if not settings.camera.enabled and not settings.microphone.enabled:
        raise SettingsError(
            "Camera and microphone are both switched off; set [camera] enabled or "
            "[microphone] enabled to true."
        )
    check_limits()
    steady_heap()
    from edge.build.appliance import run_appliance
    from edge.commands.inputs import keep_inputs
    from edge.config.paths import demo_clip

    if demo:
        clip = demo_clip()
    keep_inputs(settings, clip, config)
    if events is not None:
        # What the settings name may come later, as a disk does; what was just typed is looked at.
        from edge.outputs.event_targets import check_place

        check_place(events)
    raise typer.Exit(
        run_appliance(
            settings,
            seconds=seconds,
            clip=clip,
            repeat=repeat or demo,
            keep_trying=keep_trying,
        )
    )


@app.command(
    epilog=examples("mien devices", "mien devices --json | jq '.i2c[].answering'"),
)
def devices(json: JsonOption = False) -> None:
    """List cameras, microphones, I2C and GPIO."""
    from edge.diagnostics.devices import find_devices, print_devices

    found = find_devices()
    print(found.to_json()) if json else print_devices(found)


app.command(epilog=DOCTOR_EXAMPLES)(doctor)
app.command("try", epilog=TRY_EXAMPLES)(try_parts)


@app.command(
    epilog=examples("mien bench", "mien bench --clip interview.mp4 --seconds 60 --json"),
)
def bench(
    clip: Annotated[
        Path | None,
        typer.Option(
            parser=local_file,
            metavar="FILE",
            help="Measure on this clip instead of the demo clip.",
            show_default=False,
        ),
    ] = None,
    seconds: Annotated[
        float, typer.Option(parser=as_seconds, metavar="SECONDS", help="How long to measure.")
    ] = 20.0,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Measure stages, memory and start-up on a clip."""
    if not 0 < seconds < 1e9:
        raise SettingsError("--seconds has to be a number above 0 and below a billion.")
    settings = _load(config, {}).settings
    check_limits()
    steady_heap()
    from edge.config.paths import demo_clip
    from edge.diagnostics.bench import run_bench

    raise typer.Exit(run_bench(settings, clip or demo_clip(), seconds, json))


@app.command(
    name="self-test",
    hidden=True,
    epilog=examples("mien self-test", "mien self-test --config /etc/mien/config.toml"),
)
def self_test(config: ConfigOption = None) -> None:
    """Load the models and read a frame and a sound of the demo, without any device.

    ./setup.sh install runs it before a new release takes the place of the old one.
    """
    settings = _load(config, {}).settings
    check_limits()
    from edge.demo.excerpt import excerpt
    from edge.diagnostics.self_test import run_self_test

    print(run_self_test(settings, *excerpt()))


def _check_display(display: str, config: Path | None) -> None:
    """Refuse a --display that is no kind of one, in the words of its help."""
    from edge.outputs.display import DisplaySettings

    kinds = [*get_args(DisplaySettings.model_fields["kind"].annotation)]
    pictures = ("png", "gif")
    if display in pictures and not _load(config, {}).settings.of(DisplaySettings).file:
        raise SettingsError(
            f"--display {display} does not say where to; name the file: --display face.{display}"
        )
    suffix = Path(display).suffix.lower().removeprefix(".")
    picture = suffix in pictures and not display.endswith("/")
    if display not in kinds and not picture:
        others = ", ".join(kind for kind in kinds if kind not in pictures)
        raise SettingsError(
            f'--display is "{display}", but has to be one of {others}, or a file whose name ends in '
            ".png or .gif, such as face.png."
        )


def _load(config: Path | None, flags: "dict[str, tuple[str, Any]]") -> "Loaded":
    from edge.config.load import load_settings

    return load_settings(config, flags=flags)


def _complain(sentence: str) -> None:
    typer.echo(f"{typer.style('mien:', fg='red', bold=True)} {printable(sentence)}", err=True)
