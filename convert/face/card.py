"""What the face model's card and tables say."""

import textwrap
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from convert.face.evaluate import FaceEvaluation, Judged, Mix, best_mix
from convert.face.lessons import Lessons
from convert.metrics import Scores, confusion_table
from convert.publish import make_metric, metrics_table, recall_section
from convert.training.recipe import FaceRecipe
from edge.emotions import EMOTIONS
from edge.perception.face_heads import FERPLUS, FaceHeads
from edge.perception.manifest import DataSource, Metric

_SOURCES: Final = (
    DataSource(
        name="FER2013 (Goodfellow et al. 2013)",
        licence="web images of a research challenge, no clear image licence; not redistributed",
    ),
    DataSource(name="FER+ votes (Barsoum et al. 2016)", licence="MIT"),
)
_LESSONS: Final = DataSource(
    name="Faces without labels: FairFace (Karkkainen & Joo 2021) and FFHQ (Karras et al. 2019)",
    licence="CC BY 4.0; CC BY-NC-SA 4.0",
)
_MISTAKES: Final = DataSource(
    name="Pictures without a face: wallpapers, drawings and textures of free desktops and games",
    licence="free ones of Debian packages (GPL, CC BY-SA, CC BY, CC0)",
)
_PRIVATE = "FER2013 PrivateTest"
_SEVEN = "FER2013 labels, 7 classes"
_EIGHT = "FER+ majority, 8 classes"
_AMONG = "FER+ majority among the 7"


def sources_of(recipe: FaceRecipe) -> tuple[DataSource, ...]:
    """What a net of *recipe* was trained on."""
    lessons = (_LESSONS,) if any(stage.lesson_share for stage in recipe.stages) else ()
    mistakes = (_MISTAKES,) if any(stage.seen_weight for stage in recipe.stages) else ()
    return (*_SOURCES, *lessons, *mistakes)


def face_metrics(evaluation: FaceEvaluation, floating: FaceEvaluation | None) -> list[Metric]:
    """All figures, each with its split, rows, label set and precision."""
    fresh = evaluation.fer2013_fresh
    rows = [
        *_scores("fer2013 head", evaluation.fer2013.scores, _SEVEN),
        make_metric(
            "fer2013 head, accuracy, no copies of training rows",
            fresh.accuracy,
            _PRIVATE,
            fresh.rows,
            _SEVEN,
        ),
        *_calibration("fer2013 head", evaluation.fer2013, _SEVEN),
        *_scores("ferplus head", evaluation.ferplus.scores, _EIGHT),
        *_calibration("ferplus head", evaluation.ferplus, _EIGHT),
        *_scores("shown", evaluation.shown.scores, _AMONG),
        *_calibration("shown", evaluation.shown, _AMONG),
        *_scores("shown", evaluation.shown_fer2013, _SEVEN),
        make_metric(
            "shown, calibration error, calibrated",
            evaluation.shown_fer2013_error,
            _PRIVATE,
            evaluation.shown_fer2013.rows,
            _SEVEN,
        ),
    ]
    if floating is not None:
        for name, judged, labels in (
            ("fer2013 head, accuracy", floating.fer2013, _SEVEN),
            ("ferplus head, accuracy", floating.ferplus, _EIGHT),
            ("shown, accuracy", floating.shown, _AMONG),
        ):
            scores = judged.scores
            rows.append(make_metric(name, scores.accuracy, _PRIVATE, scores.rows, labels, "float"))
    return rows


def print_face(evaluation: FaceEvaluation, mixes: list[Mix], metrics: list[Metric]) -> None:
    """All tables, as Markdown."""
    print(metrics_table(metrics))
    print(f"\n{_mix_table(mixes, evaluation.heads)}\n")
    print(_sections(evaluation))
    print(
        "temperatures, of the heads by the held-out rows, of what is shown by all that decides: "
        f"fer2013 head {evaluation.fer2013.temperature:.3f}, "
        f"ferplus head {evaluation.ferplus.temperature:.3f}, "
        f"shown {evaluation.shown.temperature:.3f}"
    )


def disagreement_table(shares: NDArray[np.float64]) -> str:
    """What FER2013 calls the rows of each FER+ majority (`labels_by_majority`), Markdown."""
    lines = ["| FER+ majority \\ FER2013 label | " + " | ".join(EMOTIONS) + " |"]
    lines.append("|---" * (len(EMOTIONS) + 1) + "|")
    for name, row in zip(FERPLUS, shares, strict=True):
        lines.append(f"| **{name}** | " + " | ".join(f"{share:.0%}" for share in row) + " |")
    return "\n".join(lines)


def face_card(
    recipe: FaceRecipe,
    evaluation: FaceEvaluation,
    mixes: list[Mix],
    metrics: list[Metric],
    size: str,
    lessons: Lessons | None = None,
) -> str:
    """The whole card, Markdown."""
    heads = evaluation.heads
    seen = "\n| `seen` | int8 [1, 1] | logit that there is a face at all |" * bool(
        recipe.seen_weight
    )
    offsets = ", ".join(
        f"{name} {each:+.2f}" for name, each in zip(EMOTIONS, heads.offsets, strict=True)
    )
    return f"""# Face model

`face_int8.tflite`: a grey 48x48 crop of a face -> two readings of it. {size}.

| tensor | form | meaning |
|---|---|---|
| input | int8 [1, 48, 48, 1] | grey value - 128; no float arithmetic |
| `fer2013` | int8 [1, 7] | logits, trained on the FER2013 labels |
| `ferplus` | int8 [1, 8] | logits, trained on the FER+ votes |
| `features` | int8 [1, 6, 6, {recipe.widths[-1]}] | the last feature map |{seen}

The seven are angry, disgust, fear, happy, sad, surprise, neutral; the eight neutral, happiness,
surprise, sadness, anger, disgust, fear, contempt. With the weights in `manifest.json` (`class_maps`)
the feature map draws where in the crop an emotion was seen: `mien explain photo.jpg`.

Crops have eyes and mouth where `manifest.json` says (`geometry`, measured on training crops by the
device's finder). The device shows a blend of both heads, {heads.ferplus_share:.0%} `ferplus`, with
offsets ({offsets}),
divided by the temperature {heads.temperature:.3f}.

## Figures

One forward pass of the int8 model, no mirror image, no ensemble. Nothing was chosen on PrivateTest
but the steps of the blend's weights (see there).
{_chosen_on(recipe, mixes[0].fer2013.rows)}

{metrics_table(metrics)}

About 65 % is what people reach on the FER2013 labels (Goodfellow et al. 2013).

![accuracy of each reading by class](pictures/face-confusion.png)
![loss and accuracy of each epoch](pictures/face-curves.png)
![reliability](pictures/face-reliability.png)
![where the net finds each emotion](pictures/face-maps.png)

## Two label sets, one face

FER2013 has one annotator's word for each row, FER+ the votes of ten. They disagree: of the training
rows that ten voters call neutral, FER2013 calls 46 % neutral, 24 % sad, 12 % fear and 11 % angry. A
net can serve either, not both, so there are two heads on one trunk.

A face in the wild has no label. The consensus of ten people is the nearest thing to one, and nearer
than the word of one. What the net has learned of how often emotions occur is that of pictures in the
web, in which few are angry and hardly anybody disgusted.

{_wrapped(_how_chosen(mixes))}

{_mix_table(mixes, heads)}

Its temperature is fitted on the same sources, each counting alike, the held-out rows by all of their
votes: people are as hard to tell as those on whom voters are divided.

{_sections(evaluation)}
## How it was made

{how_made(recipe, lessons)}

The shape of the first stage was chosen among several by a short training of each; `face_search.json`
has the figures. The last shape there is the one that it grew to: so short a training gains nothing by
its further blocks, the long one was meant to.

![accuracy against work of several shapes](pictures/face-search.png)

    python -m convert search --data DIR                        # compares the shapes
    python -m convert face --data DIR --out models_tflite      # everything, resumes when interrupted
    python -m convert face-blend --data DIR --deciding PACK    # chooses the blend anew, without training
    python -m convert evaluate face --data DIR                 # prints the tables again

`face_float.npz` holds the float weights in half precision, to train on from (`start` in the recipe):
for longer, or with faces of your own. The device never reads it.

`DIR` holds `fer2013_pixels.npy.xz` (uint8 [35887, 48, 48], official row order) and
`fer2013_labels.npz` (`label`, `usage`, `ferplus_votes`, `ferplus_ok`, `ferplus_majority`,
`dup_in_train`), made from the challenge's `fer2013.csv` and the FER+ project's `fer2013new.csv`.

## Data and licence

{chr(10).join(f"- {source.name}: {source.licence}" for source in sources_of(recipe))}

{_wrapped(_deciding(mixes))}

![rows of each class](pictures/face-classes.png)
![mean face of each class](pictures/face-means.png)

The weights are ours and published under the project's licence. Because the images come from the
web without a clear licence, use of the weights beyond research and teaching is for you to judge.

## Limits

- It reads what a face looks like, not what a person feels.
- FER2013 has many actors and stock photographs, few dark-skinned, old or very young people, and
  noisy labels; expect worse than the table for people, light and angles that it has not seen.
- Disgust has 547 rows in all (FER+ test: 18), contempt 16 in the FER+ test: their figures are
  uncertain by several points each.
- Of the 3,589 PrivateTest rows 288 are pixel-identical to a training row; a row of the table says
  how it does without them.
- It knows faces of about 48 pixels and more; smaller or blurred ones get a low quality, so that
  they count for less.
"""


def _how_chosen(mixes: list[Mix]) -> str:
    """Who had a say in the blend, and how."""
    others = [f"{name} ({scores.rows:,} faces)" for name, scores in mixes[0].others.items()]
    also = f" and with the labels of {' and '.join(others)}, each source alike" if others else ""
    return f"""So the blend that the device shows, and how much of that prior its offsets take back, are
those that agree best with the votes of the held-out rows{also}, accuracy and balanced accuracy counting
alike; of those within a standard error of the best, the one that agrees best with the FER2013 labels.
(The steps were made finer after an error of calibration had been seen on PrivateTest:
docs/decisions/014-two-label-sets.md.)"""


def _deciding(mixes: list[Mix]) -> str:
    """Whose faces were looked at, but not trained on."""
    names = " and ".join(mixes[0].others)
    text = f"Faces of {names} decided on the blend and were not trained on. " if names else ""
    return f"""{text}How it does on people of sources that neither trained nor decided is in the README:
`python -m convert strangers`, `quality` and `groups` print it."""


def how_made(recipe: FaceRecipe, lessons: Lessons | None = None) -> str:
    """What the card says of the training, all its stages."""
    epochs = sum(stage.done_epochs for stage in recipe.stages)
    text = f"""Trained from scratch for {epochs} epochs on the 28,709 training rows less those that most
FER+ voters took for no face. The target of the `fer2013` head is partly the row's own label and else
the labels that its ten votes predict (a logistic regression on training rows): less noise, but
the votes alone predict only about two labels of three. The target of the `ferplus` head is the
votes. Pictures were mirrored, turned, scaled, shifted, lit from a side, dimmed, blurred, compressed,
made noisy, partly blanked and blended."""
    if any(stage.wide for stage in recipe.stages):
        text += """ Where views are wide they also were darkened to 3 %, made as coarse as far faces are,
and covered by drawn glasses, sunglasses and masks."""
    if lessons is not None:
        who = "A net" if lessons.teachers == 1 else f"{lessons.teachers} nets"
        text += f""" {who} trained before (larger ones by models_tflite/face_teacher_recipe.toml), asked
about ten crops of each picture, taught beside the labels, and of {len(lessons.pixels):,} faces of other
people that have none."""
    if recipe.seen_weight:
        text += """ Crops without a face, of what the detector takes for one in pictures that show nobody,
came with each batch for the `seen` head."""
    stages = [_stage(each) for each in recipe.stages]
    if len(stages) > 1:
        text += " It went in stages, each beginning with the net of the one before; further blocks "
        text += "begin as the identity (Net2Net, Chen et al. 2016)."
    also = "and 125 without a face " if recipe.seen_weight else ""
    end = f"""Optimiser: {recipe.optimiser} (orthogonalised momentum). Static int8 with 500 training crops
{also}for calibration; no training for int8 was needed (float figures above)."""
    listed = [f"- {stage}" for stage in stages] if len(stages) > 1 else stages
    return "\n\n".join([_wrapped(text), "\n".join(map(_wrapped, listed)), _wrapped(end)])


def _chosen_on(recipe: FaceRecipe, held_out: int) -> str:
    """On which rows what was chosen."""
    text = f"""Temperatures of the heads and the prior are fitted, and the blend is chosen with other
sources ("Two label sets"), on {held_out:,} PublicTest rows, a third
of each emotion, which are never trained on ("held out")."""
    if recipe.knows_public:
        text += """ The others decided on the recipe and were then trained on as well, less those
        whose pixels also are a held-out or a PrivateTest row, as papers on FER2013 do at last (for
        one Khaireddin and Chen 2021)."""
    else:
        text += " The whole of PublicTest decided on the recipe."
    return _wrapped(text)


def _wrapped(text: str) -> str:
    indent = "  " if text.startswith("- ") else ""
    words = " ".join(text.split())
    return "\n".join(textwrap.wrap(words, 100, subsequent_indent=indent, break_on_hyphens=False))


def _stage(recipe: FaceRecipe) -> str:
    """How a net was trained, from its beginning or from the end of the stage before."""
    done = recipe.done_epochs
    mild = done - max(0, recipe.epochs - recipe.mild_epochs)
    when = "throughout" if mild == done else f"in the last {mild}"
    blocks = " + ".join(str(count) for count in recipe.blocks)
    text = (
        f"{blocks} blocks, {done} epochs; the label has {recipe.label_share:.0%} of the target; "
        f"the changes at {recipe.mild_strength:.0%} of their strength and no blending {when}"
    )
    if recipe.learn_public:
        text += "; the PublicTest rows that are not held out are trained on too"
    if recipe.majority_share:
        text += (
            f"; {recipe.majority_share:.0%} of the target by FER+ is the emotion of the majority, the "
            "rest the votes"
        )
    if recipe.ferplus_weight != 1:
        text += f"; errors by FER+ count {recipe.ferplus_weight:g} times"
    if recipe.balance:
        text += f"; rare emotions are shown more often (balance {recipe.balance:g})"
    if recipe.wide:
        text += "; wide views"
    if recipe.seen_weight:
        text += f"; errors of the `seen` head count {recipe.seen_weight:g} times"
    if recipe.lesson_share:
        text += f"; {recipe.lesson_share:.0%} of every target is the word of nets trained before"
    if recipe.teacher_from < done:
        text += (
            f"; from the {recipe.teacher_from + 1}th on, {recipe.teacher_share:.0%} of every target "
            "is the pseudo-label of the averaged net itself, renewed every "
            f"{recipe.teacher_every} epochs (a mean teacher)"
        )
    if recipe.first_share:
        text += (
            f"; {recipe.first_share:.0%} of the weights that came out are those that it began with "
            "(a mean of both, Wortsman et al. 2022)"
        )
    return text + "."


def _sections(evaluation: FaceEvaluation) -> str:
    among = evaluation.shown.scores
    return "\n".join(
        [
            recall_section(f"{_PRIVATE}, `fer2013` head, int8", evaluation.fer2013.scores),
            f"### {_PRIVATE}, `ferplus` head, FER+ majority, int8\n",
            confusion_table(evaluation.ferplus.scores, FERPLUS) + "\n",
            recall_section(f"{_PRIVATE}, shown, FER2013 labels, int8", evaluation.shown_fer2013),
            recall_section(f"{_PRIVATE}, shown, FER+ majority among the 7, int8", among),
        ]
    )


def _mix_table(mixes: list[Mix], heads: FaceHeads) -> str:
    """Every weight and every strength that were compared with those of *heads*, or of the best."""
    plain = replace(heads, temperature=1.0)
    chosen = next((mix for mix in mixes if mix.heads == plain), best_mix(mixes))
    share = chosen.heads.ferplus_share
    shown = [
        mix for mix in mixes if mix.strength == chosen.strength or mix.heads.ferplus_share == share
    ]
    sources = list(chosen.others)
    lines = [
        "| weight of `ferplus` | prior taken back | FER2013 labels: accuracy, balanced "
        "| FER+ majority: accuracy, balanced |"
        + "".join(f" {name}: accuracy, balanced |" for name in sources),
        "|---" * (4 + len(sources)) + "|",
    ]
    for mix in shown:
        judged = (mix.fer2013, mix.ferplus, *mix.others.values())
        cells = " | ".join(f"{each.accuracy:.1%}, {each.balanced_accuracy:.1%}" for each in judged)
        weight = f"{mix.heads.ferplus_share:g}"
        weight = f"**{weight}**" if mix is chosen else weight
        lines.append(f"| {weight} | {mix.strength:.0%} | {cells} |")
    rows = [chosen.fer2013.rows, chosen.ferplus.rows, *(one.rows for one in chosen.others.values())]
    counts = ", ".join(f"{count:,}" for count in rows)
    return (
        "\n".join(lines)
        + f"\n\n(PublicTest, held out{', and the other sources' if sources else ''}, int8; "
        f"{counts} rows; contempt left out.)"
    )


def _scores(name: str, scores: Scores, labels: str) -> list[Metric]:
    return [
        make_metric(f"{name}, accuracy", scores.accuracy, _PRIVATE, scores.rows, labels),
        make_metric(
            f"{name}, balanced accuracy", scores.balanced_accuracy, _PRIVATE, scores.rows, labels
        ),
        make_metric(f"{name}, macro F1", scores.macro_f1, _PRIVATE, scores.rows, labels),
    ]


def _calibration(name: str, judged: Judged, labels: str) -> list[Metric]:
    rows = judged.scores.rows
    return [
        make_metric(
            f"{name}, calibration error at temperature 1",
            judged.error_before,
            _PRIVATE,
            rows,
            labels,
        ),
        make_metric(
            f"{name}, calibration error, calibrated", judged.error_after, _PRIVATE, rows, labels
        ),
    ]
