"""`python -m convert`: train, convert to int8, evaluate."""

import sys
import tempfile
from pathlib import Path
from typing import Annotated, Literal

import typer

from edge.config.paths import MODELS, fetched_folder
from edge.errors import MienError, SettingsError
from edge.process.printable import printable

app = typer.Typer(
    help="Trains Mien's two nets and makes the int8 models that the device runs.",
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)
Data = Annotated[Path, typer.Option(help="Folder with the data set; see the model's card.")]
Out = Annotated[Path, typer.Option(help="Models folder to publish to.")]
Deciding = Annotated[
    list[Path] | None,
    typer.Option(
        help="Pack of labelled faces that decide on the face model's blend beside the held-out rows; "
        "may be repeated."
    ),
]
RecipeFile = Annotated[Path, typer.Option(help="How to train.")]
Work = Annotated[Path, typer.Option(help="Checkpoints and caches; a later run goes on from here.")]
STOPPED = "convert: stopped; the same command goes on from here."
"""What is said after Ctrl-C."""
_INTERRUPTED = 130
"""With what typer ends after Ctrl-C, as shells do."""


def check_writable(**folders: Path) -> None:
    """See before hours of work whether their result can be kept; nothing is left behind.

    Args:
        folders: option -> its folder, which need not exist yet.

    Raises:
        SettingsError: a file is in the way, or nothing can be written there.
    """
    from edge.process.written_files import nearest_there

    for option, folder in folders.items():
        there = nearest_there(folder)
        if not there.is_dir():
            raise SettingsError(f"--{option}: {there} is a file; name a folder.")
        try:
            tempfile.TemporaryFile(dir=there).close()
        except OSError as error:
            raise SettingsError(
                f"--{option}: {there} cannot be written to ({error.strerror}); name a folder in "
                "which you may."
            ) from error


@app.command()
def face(
    data: Data,
    out: Out = MODELS,
    recipe: RecipeFile = MODELS / "face_recipe.toml",
    work: Work = Path("runs/face"),
    lessons: Annotated[
        Path | None,
        typer.Option(help="What face-teachers wrote, for a recipe with a lesson_share."),
    ] = None,
    deciding: Deciding = None,
    before: Annotated[
        Path | None,
        typer.Option(
            help="face_float.npz that the stages before the last one gave; only that is trained."
        ),
    ] = None,
    mistakes: Annotated[
        Path | None,
        typer.Option(help="What face-mistakes wrote, for a recipe with a seen_weight."),
    ] = None,
) -> None:
    """Train on FER2013 with FER+ votes, convert, evaluate, write the card.

    Example: python -m convert face --data ~/data/face --out models_tflite
    """
    check_writable(out=out, work=work)
    from convert.face.pipeline import make_face

    make_face(data, recipe, out, work, fetched_folder(), lessons, deciding or [], before, mistakes)


@app.command("face-blend")
def face_blend(
    data: Data,
    models: Annotated[Path, typer.Option(help="Folder with models and manifest.")] = MODELS,
    deciding: Deciding = None,
) -> None:
    """Choose anew how the published face net is read (blend, offsets, temperature), without training.

    Example: python -m convert face-blend --data ~/data/face --deciding more_faces.npz
    """
    check_writable(models=models)
    from convert.face.pipeline import choose_blend

    choose_blend(data, models, deciding or [])


@app.command("face-teachers")
def face_teachers(
    data: Data,
    recipe: RecipeFile = MODELS / "face_teacher_recipe.toml",
    seeds: Annotated[
        list[int] | None, typer.Option("--seed", help="Of a teacher; again and again for more.")
    ] = None,
    faces: Annotated[
        list[Path] | None, typer.Option(help="Pack of faces that they label too; may be repeated.")
    ] = None,
    work: Work = Path("runs/face-teachers"),
    also: Annotated[
        Path | None,
        typer.Option(help="face_float.npz of a net of face_recipe.toml that is asked as well."),
    ] = None,
) -> None:
    """Train larger face nets that teach the one on the device, and write down what they say.

    Example: python -m convert face-teachers --data ~/data/face --seed 1 --seed 2
    """
    check_writable(work=work)
    from convert.face.data import load_face_data
    from convert.face.teachers import make_lessons
    from convert.face.train import load_face_net
    from convert.training.recipe import FaceRecipe, load_recipe

    own = load_recipe(recipe, FaceRecipe)
    others = []
    if also is not None:
        published = load_recipe(MODELS / "face_recipe.toml", FaceRecipe)
        others.append(load_face_net(published, also))
    file = make_lessons(load_face_data(data), own, seeds or [1, 2, 3], faces or [], work, others)
    print(f"written to {printable(file)}")


@app.command("face-mistakes")
def face_mistakes(
    pictures: Annotated[Path, typer.Option(help="Folder of pictures that show no face.")],
    out: Annotated[Path, typer.Option(help="The .npz that is written.")],
    models: Annotated[Path, typer.Option(help="Folder with the manifest.")] = MODELS,
    seed: Annotated[int, typer.Option(min=0, help="Chooses the parts that are searched.")] = 1,
) -> None:
    """Collect what the face detector half believes to be faces, for the net to know better.

    Example: python -m convert face-mistakes --pictures ~/wallpapers --out mistakes.npz
    """
    check_writable(out=out.parent)
    if out.is_dir():
        raise SettingsError(f"--out: {out} is a folder; name a file in it.")
    from convert.face.mistakes import find_mistakes
    from edge.perception.manifest import load_manifest

    geometry = load_manifest(models).face.geometry
    if geometry is None:
        raise SettingsError(f"The face model in {models} does not say how its crops are framed.")
    count = find_mistakes(pictures, fetched_folder(), geometry, out, seed)
    print(f"{count:,} crops written to {printable(out)}")


@app.command()
def voice(
    data: Data,
    out: Out = MODELS,
    recipe: RecipeFile = MODELS / "voice_recipe.toml",
    work: Work = Path("runs/voice"),
) -> None:
    """Train on acted speech, split by speaker; convert, evaluate, write the card.

    Example: python -m convert voice --data ~/data/voice --out models_tflite
    """
    check_writable(out=out, work=work)
    from convert.voice.pipeline import make_voice

    make_voice(data, recipe, out, work)


@app.command("voice-folds")
def voice_folds(
    data: Data,
    recipe: RecipeFile = MODELS / "voice_recipe.toml",
    work: Work = Path("runs/voice"),
) -> None:
    """Train a voice net for each fold of RAVDESS actors; one table of all held-out actors.

    Example: python -m convert voice-folds --data ~/data/voice
    """
    check_writable(work=work)
    from convert.voice.pipeline import folds

    folds(data, recipe, work)


@app.command("voice-random")
def voice_random(
    data: Data,
    recipe: RecipeFile = MODELS / "voice_recipe.toml",
    work: Work = Path("runs/voice"),
) -> None:
    """Measure by the field's protocol, a random split that leaks speakers, for comparison only.

    Example: python -m convert voice-random --data ~/data/voice
    """
    check_writable(work=work)
    from convert.voice.pipeline import random_split

    random_split(data, recipe, work)


@app.command("voice-features")
def voice_features(
    data: Data,
    recipe: RecipeFile = MODELS / "voice_recipe.toml",
    work: Work = Path("runs/voice"),
) -> None:
    """Compare the field's classic features with the log-mel picture on the same speakers.

    Example: python -m convert voice-features --data ~/data/voice
    """
    check_writable(work=work)
    from convert.voice.pipeline import compare

    compare(data, recipe, work)


@app.command()
def evaluate(
    which: Annotated[Literal["face", "voice"], typer.Argument(help="Which model.")],
    data: Data,
    models: Annotated[Path, typer.Option(help="Folder with the model and manifest.")] = MODELS,
    work: Work = Path("runs/voice"),
    deciding: Deciding = None,
    ten_crops: Annotated[
        bool, typer.Option("--ten-crops", help="Of the face model: the mean of ten crops too.")
    ] = False,
) -> None:
    """Print every table again from the published .tflite alone.

    Example: python -m convert evaluate face --data ~/data/face
    """
    from edge.perception.manifest import check_hash, load_manifest

    manifest = load_manifest(models)
    entry = manifest.face if which == "face" else manifest.voice
    check_hash(models / entry.file, entry.sha256)
    if which == "face":
        from convert.face.pipeline import evaluate_published

        evaluate_published(entry, models, data, deciding or [], ten_crops)
    else:
        check_writable(work=work)
        from convert.voice.pipeline import evaluate_published as evaluate_voice

        evaluate_voice(models / entry.file, models / entry.recipe, entry, data, work)


@app.command()
def search(
    data: Data,
    candidates: Annotated[Path, typer.Option(help="Shapes to compare, TOML.")] = MODELS
    / "face_candidates.toml",
    out: Out = MODELS,
    work: Work = Path("runs/search"),
) -> None:
    """Compare shapes of the face net: accuracy against size and work, each briefly trained.

    Example: python -m convert search --data ~/data/face
    """
    check_writable(out=out, work=work)
    from convert.face.architecture_search import search_face

    search_face(data, candidates, out, work)


@app.command()
def fusion(
    face_data: Annotated[Path, typer.Option(help="Folder with FER2013; see FACE_CARD.md.")],
    voice_data: Annotated[Path, typer.Option(help="Folder with the voices; see VOICE_CARD.md.")],
    models: Annotated[Path, typer.Option(help="Folder with models and manifest.")] = MODELS,
    work: Work = Path("runs/voice"),
) -> None:
    """Measure face alone, voice alone, 70-30 and the fusion on held-out pairs.

    Example: python -m convert fusion --face-data ~/data/face --voice-data ~/data/voice
    """
    check_writable(work=work)
    from convert.studies.fusion import evaluate_fusion

    evaluate_fusion(face_data, voice_data, models, work)


@app.command()
def calibration(
    data: Annotated[Path, typer.Option(help="Folder with the voices; see VOICE_CARD.md.")],
    models: Annotated[Path, typer.Option(help="Folder with models and manifest.")] = MODELS,
    work: Work = Path("runs/voice"),
) -> None:
    """Measure what `mien calibrate` does to held-out voices.

    Example: python -m convert calibration --data ~/data/voice
    """
    check_writable(work=work)
    from convert.studies.calibration import evaluate_calibration

    evaluate_calibration(data, models, work)


@app.command()
def quality(
    data: Annotated[
        Path, typer.Option(help="Folder with face/ and face_extra/; see docs/extending.md.")
    ],
    models: Annotated[Path, typer.Option(help="Folder with models and manifest.")] = MODELS,
) -> None:
    """Fit how far a face can be trusted that is dark, small, blurred or covered, and try the device.

    Example: python -m convert quality --data data
    """
    from convert.studies.quality import fit_quality
    from edge.process.native_output import mute_native_code

    mute_native_code()
    fit_quality(data, models)


@app.command()
def resting(
    data: Annotated[Path, typer.Option(help="Folder with face_extra/; see docs/extending.md.")],
    models: Annotated[Path, typer.Option(help="Folder with models and manifest.")] = MODELS,
) -> None:
    """Try whether it helps to know how somebody looks at rest, on people who were kept out.

    Example: python -m convert resting --data data
    """
    from convert.studies.resting import compare_resting

    compare_resting(data, models)


@app.command("face-judge")
def face_judge(
    data: Annotated[
        Path, typer.Option(help="Folder with face/ and face_extra/; see docs/extending.md.")
    ],
    pictures: Annotated[
        Path, typer.Option(help="Folder of pictures without a face that were not trained on.")
    ],
    models: Annotated[Path, typer.Option(help="Folder with models and manifest.")] = MODELS,
) -> None:
    """Choose how sure net and detector have to be that something new is a face.

    Example: python -m convert face-judge --data data --pictures ~/rooms
    """
    from convert.studies.judge import choose_thresholds

    choose_thresholds(data, pictures, models)


@app.command()
def groups(
    data: Annotated[Path, typer.Option(help="Folder with face_extra/; see docs/extending.md.")],
    models: Annotated[Path, typer.Option(help="Folder with models and manifest.")] = MODELS,
) -> None:
    """Compare groups of people: how many of their faces are found, and of their smiles seen.

    Example: python -m convert groups --data data
    """
    from convert.studies.groups import compare_groups
    from edge.process.native_output import mute_native_code

    mute_native_code()
    compare_groups(data, models)


@app.command()
def finders(
    data: Annotated[
        Path, typer.Option(help="Folder with face/ and face_extra/; see docs/extending.md.")
    ],
    heads: Annotated[int, typer.Option(min=1, help="How many of each source are pasted.")] = 500,
    models: Annotated[Path, typer.Option(help="Folder with models and manifest.")] = MODELS,
) -> None:
    """Compare the three ways to find faces, on faces of many people and sizes and on photographs.

    Example: python -m convert finders --data data --heads 200
    """
    from convert.studies.finders import compare_finders
    from edge.process.native_output import mute_native_code

    mute_native_code()
    compare_finders(data, fetched_folder(), models, heads)


@app.command()
def strangers(
    data: Annotated[Path, typer.Option(help="Folder with face_extra/; see docs/extending.md.")],
    models: Annotated[Path, typer.Option(help="Folder of the models.")] = MODELS,
    fer: Annotated[
        Path | None,
        typer.Option(metavar="PYTHON", help="A Python with the fer package, to compare with it."),
    ] = None,
) -> None:
    """Try the shipped face model on people that no net was trained on, by the appliance's own code.

    Example: python -m convert strangers --data data --fer fer/bin/python
    """
    from convert.studies.strangers import tell_strangers
    from edge.process.native_output import mute_native_code

    mute_native_code()
    tell_strangers(data, models, fer)


@app.command()
def quantize(
    model: Annotated[
        Path, typer.Argument(help="Float .tflite, .pt2, .keras, .h5 or SavedModel folder.")
    ],
    samples: Annotated[Path, typer.Option(help="Folder of real inputs: .npy, images, sounds.")],
    out: Annotated[Path, typer.Option(help="The int8 .tflite to write.")],
    input_range: Annotated[
        tuple[float, float] | None,
        typer.Option(
            help="What black and white are to the net: -1 1 unless given. For arrays: what they span."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(help="Most samples to use, taken evenly.")] = 500,
    report: Annotated[Path | None, typer.Option(help="Write the report as JSON too.")] = None,
) -> None:
    """Make an int8 model of your own, check it against the float one, name its worst layers.

    Example: python -m convert quantize net.pt2 --samples photos --out net_int8.tflite
    """
    from convert.quantize.command import quantize
    from edge.process.native_output import mute_native_code

    mute_native_code()
    quantize(model, samples, out, input_range, limit, report)


def main() -> None:
    """Run; failures that have a remedy are one sentence."""
    try:
        app(prog_name="python -m convert")
    except MienError as error:
        print(f"convert: {printable(error)}", file=sys.stderr)
        sys.exit(1)
    except SystemExit as ended:
        if ended.code == _INTERRUPTED:
            print(f"\n{STOPPED}", file=sys.stderr)
        raise
    except OSError as error:
        print(
            f"convert: {error.strerror or error}: {printable(error.filename or 'a file')}; check "
            "that the disk is not full and that you may write there.",
            file=sys.stderr,
        )
        sys.exit(1)
    except ModuleNotFoundError as error:
        print(
            f"convert: {error.name} is not installed; training and converting need: "
            "pip install -e '.[convert]'",
            file=sys.stderr,
        )
        sys.exit(1)
