"""The figures of the voice model for the manifest, and its card."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from convert.atomic_files import damaged, read_json
from convert.errors import DataError
from convert.metrics import calibration_error
from convert.publish import make_metric, metrics_table, recall_section
from convert.training.recipe import VoiceRecipe
from convert.voice.classic_features import RESULT as FEATURES
from convert.voice.classic_features import Compared, features_table
from convert.voice.evaluate import NOISY_SNR_DB, accepted, emotion_scores
from convert.voice.random_split import LABEL
from convert.voice.random_split import RESULT as RANDOM
from convert.voice.splits import noise_folds
from convert.voice.tables import FoldResult, fold_metrics, folds_table, pooled_metrics
from convert.voice.train import CALIBRATION_WINDOWS
from edge.perception.manifest import DataSource, Metric
from edge.perception.probability import softmax

SOURCES = {
    "ravdess": DataSource(name="RAVDESS (Livingstone & Russo 2018)", licence="CC BY-NC-SA 4.0"),
    "tess": DataSource(name="TESS (Pichora-Fuller & Dupuis 2020)", licence="CC BY-NC-ND 4.0"),
    "nemo": DataSource(name="nEMO (Christop 2024)", licence="CC BY-NC-SA 4.0"),
    "emogator": DataSource(name="EmoGator (Buhl 2023), vocal bursts", licence="Apache-2.0"),
    "commonvoice_multi": DataSource(
        name="Common Voice, 57 languages (Ardila et al. 2020)", licence="CC0"
    ),
    "commonvoice_en": DataSource(name="Common Voice, English (Ardila et al. 2020)", licence="CC0"),
    "librispeech_251": DataSource(
        name="LibriSpeech, 245 speakers (Panayotov et al. 2015)", licence="CC BY 4.0"
    ),
    "speechocean": DataSource(
        name="SpeechOcean762 (Zhang et al. 2021)", licence="free, also for commercial use"
    ),
    "indian_emospeech": DataSource(
        name="emospeech-dataset-v1, words on Indian telephones", licence="CC BY-NC-SA 4.0"
    ),
    "noise": DataSource(
        name="ESC-10 (Piczak 2015) and Speech Commands noise (Warden 2018), as background",
        licence="CC BY 3.0; CC BY 4.0",
    ),
}
_SEVEN = "RAVDESS, 7 classes (calm = neutral)"
_FIGURES = """![what is taken for what](pictures/voice-confusion.png)
![reliability](pictures/voice-reliability.png)
"""
"""Of all folds where all are known, else of the published one."""
_POOLED = "RAVDESS, five folds by actor, each clip by the net that held out its actor"


def voice_metrics(result: FoldResult, everyone: Sequence[FoldResult], work: Path) -> list[Metric]:
    """Every figure of the published net, then (if known) of all folds and of the random split."""
    own, test = fold_metrics(result), emotion_scores(result.answers["test"])
    split = _split(result.recipe)
    noise = (
        f"recordings of the held-out noise fold {result.recipe.fold}, a recording counts "
        "when one of its windows does"
    )

    def of_test(
        name: str, value: float, precision: Literal["int8", "float"] = "int8", where: str = split
    ) -> Metric:
        return make_metric(name, value, where, test.rows, _SEVEN, precision)

    noisy_split = f"{split}, over unseen noise {NOISY_SNR_DB:.0f} dB below"
    metrics = [
        of_test("balanced accuracy", test.balanced_accuracy),
        of_test("accuracy", test.accuracy),
        of_test("macro F1", test.macro_f1),
        of_test("calibration error, temperature 1", own["calibration error, temperature 1"]),
        of_test("calibration error, calibrated", own["calibration error"]),
        of_test("balanced accuracy", own["balanced accuracy, noisy"], where=noisy_split),
        of_test("taken for a voice", own["speech accepted"]),
        of_test("taken for a voice", own["noisy speech accepted"], where=noisy_split),
        make_metric(
            "shown as an emotion other than neutral",
            own["noise recordings shown as an emotion"],
            noise,
            int(own["noise recordings"]),
            "background, no voice",
        ),
    ]
    if result.floating is not None:
        metrics.append(of_test("balanced accuracy", result.floating, "float"))
    for name in result.recipe.shares:
        if name in result.answers:
            metrics += _elsewhere(name, result)
    if everyone:
        metrics += _of_all(everyone)
    return metrics + _of_random(result.recipe, work)


def voice_card(
    result: FoldResult,
    everyone: Sequence[FoldResult],
    metrics: Sequence[Metric],
    size: str,
    work: Path,
) -> str:
    """The whole card as Markdown."""
    recipe, tuning = result.recipe, result.tuning
    front_end = recipe.front_end
    sources = [*(SOURCES[corpus] for corpus in recipe.shares), SOURCES["noise"]]
    (validation_noise,) = noise_folds(recipe, "validation")
    made = _how_made(recipe)
    tested = recall_section(f"{_split(recipe)}, int8", emotion_scores(result.answers["test"]))
    folds = _FIGURES
    if everyone:
        folds = f"\n### All folds\n\n{_seeds(recipe)}\n\n{folds_table(everyone)}\n{_FIGURES}"
        folds += "![balanced accuracy of each fold](pictures/voice-folds.png)\n"
    return f"""# Voice model

`voice_int8.tflite`: three seconds of sound as a log-mel picture -> logits of seven emotions, and
whether there is a voice at all.
{size}.

Input int8 [1, {front_end.bands}, {front_end.frames}, 1]: the features of
`edge/perception/spectrogram.py` with the parameters in `manifest.json` (`front_end`), the same
module that training uses. Outputs, int8 throughout:

- `emotions` [1, 7] in the order angry, disgust, fear, happy, sad, surprise, neutral; divide the
  dequantized logits by the temperature {tuning.temperature:.3f} before softmax.
- `heard` [1, 1]: the logit that there is a voice. Under a probability of {tuning.threshold:.3f} the
  device says nothing about emotion, so that a fan does not look angry.

Temperature and threshold come from the validation actors and noise fold {validation_noise}; the
threshold is the least (0.5 to 0.99) that no window of that noise passes.

## Figures

{metrics_table(metrics)}

{_reading(result)}

{tested}
![loss and accuracy of each epoch](pictures/voice-curves.png)
{folds}
{_features(work)}
## How it was made

{made}

    python -m convert voice --data DIR --out models_tflite     # everything, resumes when interrupted
    python -m convert voice-folds --data DIR                   # a net for each fold, one table
    python -m convert voice-random --data DIR                  # the field's protocol ({LABEL})
    python -m convert voice-features --data DIR                # classic features on the same speakers
    python -m convert evaluate voice --data DIR                # the tables again from the .tflite

`DIR` holds one NAME.zip (16 kHz mono, FLAC or Opus) and one NAME.csv (file, speaker, emotion, seconds)
for each of {", ".join(recipe.shares)} and the noise sets noise_esc10 (with its column fold) and
noise_speechcommands.

## Data and licence

{chr(10).join(f"- {source.name}: {source.licence}" for source in sources)}

![clips of each emotion](pictures/voice-classes.png)
![mean spectrograms, RAVDESS](pictures/voice-means-ravdess.png)
![mean spectrograms, nEMO](pictures/voice-means-nemo.png)

The weights are ours. Three of the sets forbid commercial use of the recordings; whether that
reaches weights trained on them is not settled, so treat this model as non-commercial.

## Limits

- Actors in studios, two languages (English, Polish), and bursts (laughs, sobs, gasps) recorded at
  home: everyday voices are quieter in their emotions, and other languages and ages
  were not in the training set.
  It does not carry far: see the speakers of other corpora in the table.
- `heard` knows a voice from background, not a conversation from a radio; human voices among the
  noise sets (a crying baby, a sneeze, a man who miaows) were left out.
- It hears tone, not words, and needs about half a second of speech in three seconds.
- The calibration figures are of acted speech; on other microphones expect worse.
"""


def _reading(result: FoldResult) -> str:
    return textwrap.fill(
        "Each clip is one window, cut as the device cuts it; one forward pass. The split is by "
        "speaker: figures from random splits, in which the same speaker is on both sides, are far "
        "higher and say nothing about an unseen speaker. Actors differ much, and so do folds: the "
        "figures over all folds are the ones to judge by. So it is with the calibration error, "
        f"which over the rows of one fold is too high by chance (about {_chance(result):.3f} for a "
        "perfectly calibrated net).",
        100,
    )


def _how_made(recipe: VoiceRecipe) -> str:
    total = sum(recipe.shares.values())
    shares = ", ".join(f"{name} {share / total:.0%}" for name, share in recipe.shares.items())
    validation = _names(recipe.folds[1][: recipe.deciding_actors])
    paragraphs = (
        f"A small residual net (widths {list(recipe.widths)}, blocks {list(recipe.blocks)}), "
        f"trained from scratch in epochs of {recipe.clips_per_epoch:,} windows: first "
        f"{recipe.common_epochs} on the other corpora over synthetic noise (done once for all "
        "folds: no RAVDESS actor and no recorded noise is in it), then "
        f"{recipe.epochs} on all: {shares}; within a corpus all emotions alike, so that no corpus "
        f"says which emotion to expect. {recipe.noise_share:.0%} of the windows are background "
        "without a voice. Each clip was heard plain and in other speeds, rooms and levels "
        "(computed once), and each time under a new microphone, place and background at 3-35 dB "
        f"(drawn afresh). Seed {recipe.seed}. Static int8 with {CALIBRATION_WINDOWS} training "
        "windows for the ranges.",
        "The folds were fixed before anything was trained. Rate, batch, length and shares were settled "
        f"on fold 1 by its validation actors ({validation}); "
        "these are tested in fold 2, which is therefore not quite free of choice. Fold 1 had been "
        "measured once (15 epochs, less of RAVDESS: 69.4 %) before the length, the shares and the "
        "rule for the threshold were settled; folds 2 to 5 were run once, with the same recipe and "
        "seed, so the figures without fold 1 are the strictest.",
    )
    return "\n\n".join(textwrap.fill(each, 100) for each in paragraphs)


def _split(recipe: VoiceRecipe) -> str:
    return f"RAVDESS fold {recipe.fold}, held-out actors {_names(recipe.held_out_actors)}"


def _names(actors: Sequence[int]) -> str:
    return ", ".join(f"{actor:02d}" for actor in actors)


def _elsewhere(name: str, result: FoldResult) -> list[Metric]:
    """How far it carries: unseen speakers of the other sets."""
    scores = emotion_scores(result.answers[name])
    split = f"{name}, unseen speakers"
    labels = f"{name}, {int(np.isfinite(scores.recall).sum())} classes"
    heard = accepted(result.answers[name], result.tuning)
    return [
        make_metric("balanced accuracy", scores.balanced_accuracy, split, scores.rows, labels),
        make_metric("taken for a voice", heard, split, scores.rows, labels),
    ]


def _of_all(everyone: Sequence[FoldResult]) -> list[Metric]:
    pooled = pooled_metrics(everyone)
    rows, noise = int(pooled["rows"]), int(pooled["noise recordings"])
    metrics = [
        make_metric(name, pooled[name], _POOLED, rows, _SEVEN)
        for name in (
            "balanced accuracy",
            "macro F1",
            "calibration error, temperature 1",
            "calibration error",
        )
    ]
    metrics.append(
        make_metric(
            "balanced accuracy, mean of folds",
            pooled["balanced accuracy, float, mean of folds"],
            _POOLED,
            rows,
            _SEVEN,
            "float",
        )
    )
    metrics.append(
        make_metric(
            "shown as an emotion other than neutral",
            pooled["noise recordings shown as an emotion"],
            "all recordings of background, five folds, each by the net that held it out",
            noise,
            "background, no voice",
        )
    )
    return metrics


def _of_random(recipe: VoiceRecipe, work: Path) -> list[Metric]:
    file = work / RANDOM
    if not file.is_file():
        return []
    said = read_json(file)
    split = f"RAVDESS + TESS 80/20, {LABEL}; another net, trained on only that"
    try:
        macro_f1, rows = said["macro F1"], said["rows"]
    except (KeyError, TypeError) as error:
        raise DataError(damaged(file, error)) from error
    return [make_metric("macro F1", macro_f1, split, rows, "RAVDESS + TESS, 7 classes")]


def _features(work: Path) -> str:
    file = work / FEATURES
    if not file.is_file():
        return ""
    said = read_json(file)
    try:
        table = features_table([Compared(**line) for line in said["lines"]])
    except (KeyError, TypeError) as error:
        raise DataError(damaged(file, error)) from error
    return f"### Features compared\n\n{table}\n"


def _seeds(recipe: VoiceRecipe) -> str:
    folds = "; ".join(
        f"fold {number}: {_names(actors)}" for number, actors in enumerate(recipe.folds, 1)
    )
    return textwrap.fill(
        f"Actors by fold: {folds}. Seed {recipe.seed} in all; the first {recipe.deciding_actors} "
        "actors of the following fold are the validation actors, who decide temperature and "
        "threshold and are not trained on; "
        "noise fold k belongs to fold k.",
        100,
    )


def _chance(result: FoldResult) -> float:
    """Calibration error of a perfectly calibrated net with as many rows and the same confidence."""
    random = np.random.default_rng(0)
    answers = result.answers["test"]
    probabilities = softmax(answers.emotions, result.tuning.temperature)
    drawn = [np.array([random.choice(len(row), p=row) for row in probabilities]) for _ in range(50)]
    return float(np.mean([calibration_error(probabilities, each) for each in drawn]))
