"""From FER2013 to a published int8 face model."""

from pathlib import Path

import torch

from convert.face_data import FaceData, load_face_data, soft_targets
from convert.face_evaluation import FaceEvaluation, evaluate_face, evaluate_logits
from convert.face_framing import measure_framing
from convert.face_training import build_face_net, calibration_crops, float_logits, train_face
from convert.int8 import convert_int8
from convert.macs import count_macs
from convert.publish import make_entry, metrics_table, publish, recall_section, size_line
from convert.recipe import FaceRecipe, load_recipe
from edge.perception.interpreter import Model
from edge.perception.manifest import DataSource, Metric

CALIBRATION_CROPS = 500
SOURCES = (
    DataSource(
        name="FER2013 (Goodfellow et al. 2013)",
        licence="web images of a research challenge, no clear image licence; not redistributed",
    ),
    DataSource(name="FER+ votes (Barsoum et al. 2016)", licence="MIT"),
)


def make_face(folder: Path, recipe_file: Path, out: Path, work: Path, detectors: Path) -> None:
    """Run the whole way; every step prints what it found."""
    recipe = load_recipe(recipe_file, FaceRecipe)
    data = load_face_data(folder)
    geometry = measure_framing(data, detectors, recipe.seed)
    net, history = train_face(data, recipe, work)
    file = work / "face_int8.tflite"
    # Integers -128..127 stand for (grey - 128) / 128, so the device feeds grey - 128.
    convert_int8(
        net, calibration_crops(data, CALIBRATION_CROPS, recipe.seed), -1.0, 127 / 128, file
    )
    evaluation = evaluate_face(Model(file), data)
    floating = evaluate_logits(
        data,
        float_logits(net, data.pixels[data.rows("PublicTest")]),
        float_logits(net, data.pixels[data.rows("PrivateTest")]),
    )
    learned = data.rows("Training")[~data.not_face[data.rows("Training")]]
    prior = soft_targets(data, recipe.ferplus_share)[learned].mean(axis=0)
    macs = count_macs(build_face_net(recipe), torch.zeros(1, 1, 48, 48))
    metrics = _metrics(evaluation, floating)
    entry = make_entry(
        file,
        temperature=evaluation.temperature,
        class_prior=(prior / prior.sum()).tolist(),
        macs=macs,
        metrics=metrics,
        data=SOURCES,
        recipe="face_recipe.toml",
        geometry=geometry,
    )
    parameters = sum(weights.numel() for weights in net.parameters())
    card = _card(recipe, evaluation, metrics, size_line(file, parameters, macs), len(history))
    publish("face", file, entry, card, out)
    print_face(evaluation)


def evaluate_published(model: Path, folder: Path) -> None:
    """Print every table again from the .tflite alone."""
    data: FaceData = load_face_data(folder)
    print_face(evaluate_face(Model(model), data))


def print_face(evaluation: FaceEvaluation) -> None:
    """All tables, as Markdown."""
    print(metrics_table(_metrics(evaluation, None)))
    print()
    print(recall_section("FER2013 PrivateTest, int8", evaluation.private))
    print(f"temperature {evaluation.temperature:.3f}, fitted on PublicTest")


def _metrics(evaluation: FaceEvaluation, floating: FaceEvaluation | None) -> list[Metric]:
    def metric(name: str, value: float, split: str, rows: int, precision: str = "int8") -> Metric:
        return Metric(
            name=name,
            value=round(value, 5),
            split=split,
            rows=rows,
            label_set="FER2013, 7 classes",
            precision=precision,  # type: ignore[arg-type]
        )

    private, fresh = evaluation.private, evaluation.private_without_copies
    test, without = "FER2013 PrivateTest", "FER2013 PrivateTest without copies of training rows"
    rows = [
        metric("accuracy", private.accuracy, test, private.rows),
        metric("balanced accuracy", private.balanced_accuracy, test, private.rows),
        metric("macro F1", private.macro_f1, test, private.rows),
        metric("accuracy", fresh.accuracy, without, fresh.rows),
        metric(
            "accuracy", evaluation.public.accuracy, "FER2013 PublicTest", evaluation.public.rows
        ),
        metric("calibration error, temperature 1", evaluation.error_before, test, private.rows),
        metric("calibration error, calibrated", evaluation.error_after, test, private.rows),
    ]
    if floating is not None:
        rows.append(metric("accuracy", floating.private.accuracy, test, private.rows, "float"))
    return rows


def _card(
    recipe: FaceRecipe, evaluation: FaceEvaluation, metrics: list[Metric], size: str, epochs: int
) -> str:
    return f"""# Face model

`face_int8.tflite`: a grey 48x48 crop of a face -> logits of seven emotions. {size}.

Input int8 [1, 48, 48, 1]: grey value - 128, no float arithmetic. Output int8 [1, 7] in the order
angry, disgust, fear, happy, sad, surprise, neutral; divide the dequantised logits by the
temperature {evaluation.temperature:.3f} (fitted on PublicTest) before softmax. Crops have eyes and
mouth where `manifest.json` says (`geometry`, measured on training crops by the device's finder).

## Figures

{metrics_table(metrics)}

One forward pass, no mirror image, no ensemble. About 65 % is what people reach on these labels.

{recall_section("FER2013 PrivateTest, int8", evaluation.private)}
## How it was made

A plain residual net (widths {list(recipe.widths)}, blocks {list(recipe.blocks)}) trained from
scratch for {epochs} epochs on the 28,709 training rows of FER2013 less those that most FER+ voters
took for no face. Targets: {1 - recipe.ferplus_share:.0%} FER2013 label, {recipe.ferplus_share:.0%}
FER+ votes (contempt counted as disgust). Nothing was chosen on PrivateTest. Static int8 with
{CALIBRATION_CROPS} training crops for calibration.

    python -m convert face --data DIR --out models_tflite      # everything, resumes when interrupted
    python -m convert evaluate face --data DIR                 # prints the tables again

`DIR` holds `fer2013_pixels.npy.xz` (uint8 [35887, 48, 48], official row order) and
`fer2013_labels.npz` (`label`, `usage`, `ferplus_votes`, `ferplus_ok`, `dup_in_train`), made from
the challenge's `fer2013.csv` and the FER+ project's `fer2013new.csv`.

## Data and licence

{chr(10).join(f"- {source.name}: {source.licence}" for source in SOURCES)}

The weights are ours and published under the project's licence. Because the images come from the
web without a clear licence, use of the weights beyond research and teaching is for you to judge.

## Limits

- It reads what a face looks like, not what a person feels.
- FER2013 has many actors and stock photographs, few dark-skinned, old or very young people, and
  noisy labels; expect worse than the table for people, light and angles that it has not seen.
- Disgust has 547 rows in all and is the least certain; fear is read worst and
  taken for sad, neutral, angry or surprise.
- It knows faces of about 48 pixels and more; smaller or blurred ones get a low quality, so that
  they count for less.
"""
