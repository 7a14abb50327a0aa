"""Does joining face and voice help? Pairs of both that nobody has trained on, one table."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convert.face_data import FaceData, load_face_data
from convert.face_evaluation import logits_of
from convert.make_voice import int8_logits
from convert.metrics import Labels, softmax_rows
from convert.recipe import VoiceRecipe, load_recipe
from convert.voice_data import load_voice_data
from convert.voice_training import Corpus, load_part
from edge.emotions import EMOTIONS
from edge.fusion import Fusion, FusionOptions, Reading
from edge.messages import Face, FaceReading, VoiceReading
from edge.perception.framing import sharpness
from edge.perception.interpreter import Model
from edge.perception.manifest import Entry, Manifest, load_manifest

PAIRS_PER_EMOTION = 400
_NOISY_VIEW = 1
"""Which cached view of a clip stands for a bad recording: noise, room, band limits at random."""

_FACE = Face(0, 0, 48, 48, (15, 19), (32, 19), (24, 29), (24, 37), (5, 21), (43, 21), 1.0)

Rows = NDArray[np.float64]


@dataclass(frozen=True)
class Readings:
    """What one sense says of some rows."""

    probabilities: Rows
    """Shape [rows, 7], calibrated."""
    quality: NDArray[np.float64]
    """Shape [rows], as the device would judge it."""


def evaluate_fusion(face_folder: Path, voice_folder: Path, models: Path, work: Path) -> None:
    """Print accuracy of face alone, voice alone, 70-30 and ours on pairs of the same emotion.

    Rows to choose on: FER2013 PublicTest with the RAVDESS validation actors. Rows to report:
    FER2013 PrivateTest with the held-out actors. Each pair joins a random crop and a random clip of
    one emotion, the seven emotions equally often, so chance is 14.3 %. The filter runs as shipped,
    with a prior for everyday use (`DEFAULT_PRIOR`) that these even pairs do not have.
    """
    manifest = load_manifest(models)
    recipe = load_recipe(models / manifest.voice.recipe, VoiceRecipe)
    faces = load_face_data(face_folder)
    voices = load_voice_data(voice_folder, tuple(recipe.shares))
    face_model, voice_model = (
        Model(models / manifest.face.file),
        Model(models / manifest.voice.file),
    )
    weight = FusionOptions().voice_weight
    print("| pairs | face alone | voice alone | 70-30 | ours | ours, shown | unsure |")
    print("|---|---|---|---|---|---|---|")
    best, rows = 0.0, ""
    for split, part in (("PublicTest", "validation"), ("PrivateTest", "test")):
        corpus = next(c for c in load_part(voices, recipe, part, work) if c.name == "ravdess")
        face_truth = faces.label[faces.rows(split)]
        face_pairs, voice_pairs, truth = _pairs(face_truth, corpus.labels)
        rows = f"{len(set(face_pairs))} distinct faces, {len(set(voice_pairs))} distinct clips"
        for bad_face, bad_voice in ((False, False), (True, False), (False, True)):
            face = _read_faces(face_model, manifest.face, faces, split, bad_face)
            voice = _read_voices(voice_model, manifest.voice, corpus, bad_voice)
            face, voice = _take(face, face_pairs), _take(voice, voice_pairs)
            if split == "PublicTest" and not (bad_face or bad_voice):
                best = _best_voice_weight(face, voice, truth, manifest)
            ours = _join(face, voice, truth, _options(manifest, weight))
            print(
                f"| {split} + RAVDESS {part}{', blurred dark face' * bad_face}"
                f"{', noisy voice' * bad_voice} | {_hits(face.probabilities, truth):.1%} | "
                f"{_hits(voice.probabilities, truth):.1%} | "
                f"{_hits(0.7 * face.probabilities + 0.3 * voice.probabilities, truth):.1%} | "
                f"**{_hits(ours.belief, truth):.1%}** | {ours.right:.1%} | {ours.unsure:.1%} |",
                flush=True,
            )
    print(f"\n{len(truth):,} pairs a row ({rows} in the last three); voice weight {weight:g} as")
    print(f"shipped; of 0.2 to 1.0 the one with the most hits on the PublicTest pairs is {best:g}.")


def _pairs(
    face_truth: NDArray[np.int64], voice_truth: NDArray[np.int64]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.int64]]:
    """Row numbers of faces and voices that share an emotion, and the emotion."""
    random = np.random.default_rng(5)
    faces, voices = [], []
    for emotion in range(len(EMOTIONS)):
        faces.append(random.choice(np.flatnonzero(face_truth == emotion), PAIRS_PER_EMOTION))
        voices.append(random.choice(np.flatnonzero(voice_truth == emotion), PAIRS_PER_EMOTION))
    truth = np.repeat(np.arange(len(EMOTIONS)), PAIRS_PER_EMOTION)
    return np.concatenate(faces), np.concatenate(voices), truth


def _read_faces(model: Model, entry: Entry, data: FaceData, split: str, bad: bool) -> Readings:
    import cv2

    pixels = data.pixels[data.rows(split)]
    if bad:
        dark = [cv2.GaussianBlur(crop, (0, 0), 1.6) // 3 for crop in pixels]
        pixels = np.asarray(dark, np.uint8)
    quality = np.array([sharpness(crop) for crop in pixels])
    return Readings(softmax_rows(logits_of(model, pixels), entry.temperature), quality)


def _read_voices(model: Model, entry: Entry, corpus: Corpus, bad: bool) -> Readings:
    features = corpus.plain()
    if bad:
        features = corpus.views[corpus.rows, _NOISY_VIEW].astype(np.float32)[..., None]
    probabilities = softmax_rows(int8_logits(model, features), entry.temperature)
    return Readings(probabilities, np.ones(len(features)))


def _take(readings: Readings, rows: NDArray[np.intp]) -> Readings:
    return Readings(readings.probabilities[rows], readings.quality[rows])


@dataclass(frozen=True)
class Joined:
    """What the device's filter made of the pairs."""

    belief: Rows
    """Shape [pairs, 7], after the whole time."""
    right: float
    """Share of pairs whose emotion was shown at the end."""
    unsure: float
    """Share for which "unsure" was shown."""


def _join(face: Readings, voice: Readings, truth: Labels, options: FusionOptions) -> Joined:
    """Run `edge.fusion.Fusion` on every pair for three seconds, as the device would.

    The same face 15 times a second and the same voice twice a second: a steady look and tone.
    """
    beliefs, shown = [], []
    for look, look_quality, tone, tone_quality in zip(
        face.probabilities, face.quality, voice.probabilities, voice.quality, strict=True
    ):
        fusion = Fusion(options)
        for tick in range(45):
            t_s = tick / 15
            readings: list[Reading] = [FaceReading(t_s, look, float(look_quality), _FACE)]
            if tick % 7 == 0:
                readings.append(VoiceReading(t_s, tone, float(tone_quality)))
            mood = fusion.update(readings, t_s)
        beliefs.append(mood.probabilities)
        shown.append(mood.shown)
    names = np.array(shown)
    return Joined(
        np.array(beliefs),
        float((names == np.array(EMOTIONS)[truth]).mean()),
        float((names == "unsure").mean()),
    )


def _options(manifest: Manifest, voice_weight: float) -> FusionOptions:
    """As shipped, with the class priors of the models."""
    return FusionOptions(
        face_class_prior=np.array(manifest.face.class_prior),
        voice_class_prior=np.array(manifest.voice.class_prior),
        voice_weight=voice_weight,
    )


def _best_voice_weight(face: Readings, voice: Readings, truth: Labels, manifest: Manifest) -> float:
    weights = (0.2, 0.4, 0.6, 0.8, 1.0)
    sample = slice(None, None, 4)
    looks, tones = (
        Readings(each.probabilities[sample], each.quality[sample]) for each in (face, voice)
    )
    hits = [
        _hits(_join(looks, tones, truth[sample], _options(manifest, weight)).belief, truth[sample])
        for weight in weights
    ]
    return weights[int(np.argmax(hits))]


def _hits(probabilities: Rows, truth: Labels) -> float:
    return float((probabilities.argmax(axis=1) == truth).mean())
