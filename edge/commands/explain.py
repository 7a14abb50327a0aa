"""`mien explain`: what the face net reads in a photograph, and where."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from edge.commands.options import ConfigOption
from edge.commands.paths import local_file
from edge.errors import SettingsError
from edge.process.limits import check_limits
from edge.process.printable import printable


def explain(
    picture: Annotated[
        Path, typer.Argument(parser=local_file, metavar="PICTURE", help="A photograph of a face.")
    ],
    emotion: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Show what speaks for this one.", show_default="the likeliest"
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            parser=local_file,
            metavar="FILE",
            help="Where the sheet goes.",
            show_default="NAME-explained.png",
        ),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Read the face in a photograph and draw where the emotion was seen.

    Runs the same int8 model as the appliance. The sheet is the only thing that is written.
    """
    from edge.emotions import EMOTIONS

    if emotion is not None and emotion not in EMOTIONS:
        raise SettingsError(f'--emotion "{emotion}" is none of {", ".join(EMOTIONS)}.')
    check_limits()
    from edge.config.load import load_settings
    from edge.config.paths import fetched_folder, models_folder
    from edge.diagnostics.explain import explain as read_face
    from edge.diagnostics.explain import save_explanation
    from edge.diagnostics.photograph import read_photo
    from edge.perception.face_finder import FaceFinder
    from edge.perception.face_net import FaceNet
    from edge.perception.manifest import load_manifest
    from edge.perception.tile_search import TileSearch
    from edge.process.native_output import mute_native_code
    from edge.process.regular_files import is_one_of

    target = out or Path(f"{picture.stem}-explained.png")
    if is_one_of(target, [picture, config]):
        raise SettingsError(f"{target} is read from, and is not written over; use another --out.")
    mute_native_code()
    frame = read_photo(picture)
    settings = load_settings(config, flags={}).settings
    folder = models_folder(settings.models.folder)
    net = FaceNet(folder, load_manifest(folder).face)
    face = settings.face
    detectors = fetched_folder(settings.models.folder)
    # "auto" follows faces from frame to frame; in a photograph the search in tiles takes its place, and
    # is content with what the detector alone takes for a face: somebody has said that there is one.
    reach = "full" if face.range == "auto" else face.range
    finder = FaceFinder(detectors, reach, face.min_score, face.search_width_px)
    with closing(TileSearch(finder)) as search:
        what = read_face(frame, search, net, emotion)
    save_explanation(what, target)
    for share, name in sorted(zip(what.probabilities, EMOTIONS, strict=True), reverse=True):
        print(f"{name:9} {share:4.0%}")
    print(f"written to {printable(target)}: bright is what speaks for {what.emotion}")
