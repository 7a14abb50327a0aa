"""From acted speech to a published int8 voice model."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from convert.int8 import convert_int8
from convert.macs import count_macs
from convert.metrics import (
    Labels,
    Scores,
    calibration_error,
    fit_temperature,
    score,
    softmax_rows,
)
from convert.publish import make_entry, metrics_table, publish, recall_section, size_line
from convert.recipe import VoiceRecipe, load_recipe
from convert.voice_data import VoiceData, load_voice_data
from convert.voice_training import (
    build_voice_net,
    calibration_features,
    held_out_features,
    load_part,
    logits_of,
    train_voice,
)
from edge.emotions import EMOTIONS
from edge.perception.interpreter import Model
from edge.perception.manifest import DataSource, Metric

CALIBRATION_WINDOWS = 400
SOURCES = {
    "ravdess": DataSource(name="RAVDESS (Livingstone & Russo 2018)", licence="CC BY-NC-SA 4.0"),
    "tess": DataSource(name="TESS (Pichora-Fuller & Dupuis 2020)", licence="CC BY-NC-ND 4.0"),
    "nemo": DataSource(name="nEMO (Christop 2024)", licence="CC BY-NC-SA 4.0"),
    "emogator": DataSource(name="EmoGator (Buhl 2023)", licence="Apache-2.0"),
    "noise": DataSource(
        name="ESC-10 (Piczak 2015) and Speech Commands noise (Warden 2018), as background",
        licence="CC BY 3.0; CC BY 4.0",
    ),
}


def make_voice(folder: Path, recipe_file: Path, out: Path, work: Path) -> None:
    """Run the whole way; every step prints what it found."""
    recipe = load_recipe(recipe_file, VoiceRecipe)
    data = load_voice_data(folder, tuple(recipe.shares))
    net, history = train_voice(data, recipe, work)
    front_end = recipe.front_end
    file = work / "voice_int8.tflite"
    samples = calibration_features(data, recipe, CALIBRATION_WINDOWS, recipe.seed, work)
    convert_int8(net, samples, front_end.low, front_end.high, file)
    temperature = _temperature(Model(file), data, recipe, work)
    features, truth = held_out_features(data, recipe, work)
    int8 = int8_logits(Model(file), features)
    scores = score(truth, int8.argmax(axis=1), len(EMOTIONS))
    floating = score(truth, logits_of(net, features).argmax(axis=1), len(EMOTIONS))
    example = torch.zeros(1, 1, front_end.bands, front_end.frames)
    macs = count_macs(build_voice_net(recipe), example)
    metrics = _metrics(recipe, scores, floating, int8, truth, temperature)
    metrics += _elsewhere(Model(file), data, recipe, work)
    entry = make_entry(
        file,
        temperature=temperature,
        class_prior=_class_prior(data, recipe).tolist(),
        macs=macs,
        metrics=metrics,
        data=[*(SOURCES[corpus] for corpus in recipe.shares), SOURCES["noise"]],
        recipe="voice_recipe.toml",
        front_end=asdict(front_end),
    )
    parameters = sum(weights.numel() for weights in net.parameters())
    size = size_line(file, parameters, macs)
    card = _card(recipe, temperature, metrics, scores, size, len(history))
    publish("voice", file, entry, card, out)
    _print(recipe, metrics, scores)


def evaluate_published(
    model_file: Path, recipe_file: Path, temperature: float, folder: Path, work: Path
) -> None:
    """Print every table again from the .tflite and its temperature in the manifest."""
    recipe = load_recipe(recipe_file, VoiceRecipe)
    data = load_voice_data(folder, tuple(recipe.shares))
    features, truth = held_out_features(data, recipe, work)
    int8 = int8_logits(Model(model_file), features)
    scores = score(truth, int8.argmax(axis=1), len(EMOTIONS))
    metrics = _metrics(recipe, scores, None, int8, truth, temperature)
    metrics += _elsewhere(Model(model_file), data, recipe, work)
    _print(recipe, metrics, scores)


def int8_logits(model: Model, features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features float32 [n, bands, frames, 1] -> logits float32 [n, 7], one forward pass each."""
    output = model.output((1, len(EMOTIONS)))
    rows = [
        model.run(model.input.quantise(window[None]), output)[0]
        for window in tqdm(features, desc="int8")
    ]
    return np.array(rows, np.float32)


def _class_prior(data: VoiceData, recipe: VoiceRecipe) -> NDArray[np.float64]:
    """How often each emotion is drawn: evenly within a corpus, and not all corpora have all."""
    prior = np.zeros(len(EMOTIONS))
    for corpus, share in recipe.shares.items():
        labels = np.unique([clip.label for clip in data.of(corpus)])
        prior[labels] += share / len(labels)
    return np.asarray(prior / prior.sum())


def _temperature(model: Model, data: VoiceData, recipe: VoiceRecipe, work: Path) -> float:
    """Fitted on the RAVDESS validation actors, whom neither the test nor (mostly) training has."""
    parts = load_part(data, recipe, "validation", work)
    watched = next(corpus for corpus in parts if corpus.name == "ravdess")
    return fit_temperature(int8_logits(model, watched.plain()), watched.labels)


def _split(recipe: VoiceRecipe) -> str:
    actors = ", ".join(f"{actor:02d}" for actor in recipe.held_out_actors)
    return f"RAVDESS actors {actors}, never heard in training"


def _metrics(
    recipe: VoiceRecipe,
    scores: Scores,
    floating: Scores | None,
    logits: NDArray[np.float32],
    truth: Labels,
    temperature: float,
) -> list[Metric]:
    def metric(name: str, value: float, precision: str = "int8") -> Metric:
        return Metric(
            name=name,
            value=round(value, 5),
            split=_split(recipe),
            rows=scores.rows,
            label_set="RAVDESS, 7 classes (calm = neutral)",
            precision=precision,  # type: ignore[arg-type]
        )

    calibrated = calibration_error(softmax_rows(logits, temperature), truth)
    rows = [
        metric("balanced accuracy", scores.balanced_accuracy),
        metric("accuracy", scores.accuracy),
        metric("macro F1", scores.macro_f1),
        metric(
            "calibration error, temperature 1", calibration_error(softmax_rows(logits, 1), truth)
        ),
        metric("calibration error, calibrated", calibrated),
    ]
    if floating is not None:
        rows.append(metric("balanced accuracy", floating.balanced_accuracy, "float"))
    return rows


def _elsewhere(model: Model, data: VoiceData, recipe: VoiceRecipe, work: Path) -> list[Metric]:
    """How far it carries: speakers of the other sets who were kept out of training."""
    rows = []
    for corpus in load_part(data, recipe, "validation", work):
        if corpus.name == "ravdess":
            continue
        guesses = int8_logits(model, corpus.plain()).argmax(axis=1)
        scores = score(corpus.labels, guesses, len(EMOTIONS))
        rows.append(
            Metric(
                name="balanced accuracy",
                value=round(scores.balanced_accuracy, 5),
                split=f"{corpus.name} speaker kept out of training",
                rows=scores.rows,
                label_set=f"{corpus.name}, {len(np.unique(corpus.labels))} classes",
                precision="int8",
            )
        )
    return rows


def _print(recipe: VoiceRecipe, metrics: list[Metric], scores: Scores) -> None:
    print(metrics_table(metrics))
    print()
    print(recall_section(f"{_split(recipe)}, int8", scores))


def _card(
    recipe: VoiceRecipe,
    temperature: float,
    metrics: list[Metric],
    scores: Scores,
    size: str,
    epochs: int,
) -> str:
    front_end = recipe.front_end
    sources = [*(SOURCES[corpus] for corpus in recipe.shares), SOURCES["noise"]]
    shares = ", ".join(f"{corpus} {share:.0%}" for corpus, share in recipe.shares.items())
    return f"""# Voice model

`voice_int8.tflite`: three seconds of speech as a log-mel picture -> logits of seven emotions.
{size}.

Input int8 [1, {front_end.bands}, {front_end.frames}, 1]: the features of
`edge/perception/spectrogram.py` with the parameters in `manifest.json` (`front_end`), the same
module that training uses. Output int8 [1, 7] in the order angry, disgust, fear, happy, sad,
surprise, neutral; divide the dequantised logits by the temperature {temperature:.3f} (fitted on the
validation actors) before softmax.

## Figures

{metrics_table(metrics)}

Each clip is one window, cut as the device cuts it; one forward pass. The split is by speaker:
figures from random splits, in which the same speaker is on both sides, are far higher and say
nothing about a stranger's voice.

{recall_section(f"{_split(recipe)}, int8", scores)}
## How it was made

A small residual net (widths {list(recipe.widths)}, blocks {list(recipe.blocks)}) trained from
scratch for {epochs} epochs of {recipe.clips_per_epoch:,} windows: {shares}; within a corpus all
emotions alike, so that no corpus says which emotion to expect. Each clip was heard plain and in
{recipe.views} versions with noise, room, level, shift, speed and band limits changed. The
validation actors ({", ".join(f"{actor:02d}" for actor in recipe.validation_actors)}) decided what
was decided; the test actors were fixed before anything was trained. Static int8 with
{CALIBRATION_WINDOWS} training windows for calibration.

    python -m convert voice --data DIR --out models_tflite     # everything, resumes when interrupted
    python -m convert evaluate voice --data DIR                # prints the tables again

`DIR` holds one NAME.zip (16 kHz mono, FLAC or Opus) and one NAME.csv (file, speaker, emotion, seconds)
for each of {", ".join(recipe.shares)} and the noise sets noise_esc10 and noise_speechcommands.

## Data and licence

{chr(10).join(f"- {source.name}: {source.licence}" for source in sources)}

The weights are ours. Three of the sets forbid commercial use of the recordings; whether that
reaches weights trained on them is not settled, so treat this model as non-commercial.

## Limits

- Actors in studios, two languages (English, Polish): everyday voices are quieter in their emotions,
  and other languages and ages were not heard. It does not carry far: a speaker of the Polish set
  that was kept out of training is read much worse than the English actors (table above).
- Sadness is read worst and taken for neutral or happy.
- It hears tone, not words, and needs about half a second of speech in three seconds.
- The calibration figures are of acted speech; on other microphones expect worse.
"""
