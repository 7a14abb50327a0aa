"""Does joining face and voice help? Held-out pairs of both, one table."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from convert.face.data import load_face_data
from convert.face.evaluate import truth_of
from convert.metrics import Labels, calibration_error
from convert.training.recipe import VoiceRecipe, load_recipe
from convert.voice.data import VoiceData, load_voice_data
from convert.voice.runner import VoiceRunner
from convert.voice.splits import Corpus, Split, load_split, noisy_features
from edge.emotions import DEFAULT_PRIOR, EMOTIONS
from edge.fusion import Fusion, FusionOptions, Reading
from edge.messages import Face, FaceReading, VoiceReading
from edge.perception.face_net import FaceNet
from edge.perception.manifest import Entry, Manifest, check_hash, load_manifest
from edge.perception.probability import softmax
from edge.perception.quality import quality

PAIRS_PER_EMOTION = 400
NOISY_SNR_DB = 5.0
"""How far the voice stands above the noise in the noisy rows; the noise was held out of training."""

_FACE = Face(0, 0, 48, 48, (15, 19), (32, 19), (24, 29), (24, 37), (5, 21), (43, 21), 1.0)

Rows = NDArray[np.float64]
_CHOOSING = "PublicTest, held out"


@dataclass(frozen=True)
class Readings:
    """What one sense says of some rows."""

    probabilities: Rows
    """Shape [rows, 7], calibrated."""
    quality: NDArray[np.float64]
    """Shape [rows], as the device would judge it."""


def evaluate_fusion(face_folder: Path, voice_folder: Path, models: Path, work: Path) -> None:
    """Print accuracy of face alone, voice alone, 70-30 and ours on pairs of the same emotion.

    Rows to choose on: the held-out ones of FER2013 PublicTest, with the RAVDESS validation
    actors. Rows to report: FER2013 PrivateTest with the held-out actors. Each pair joins a random
    crop and a random clip of one emotion (of a crop, that of most of its ten FER+ voters), the seven
    emotions equally often, so chance is 14.3 %.
    The filter runs as shipped, with a prior for everyday use (`DEFAULT_PRIOR`) that these even
    pairs do not have; the calibration error counts each pair as often as that prior says.
    """
    manifest = load_manifest(models)
    for entry in (manifest.face, manifest.voice):
        check_hash(models / entry.file, entry.sha256)
    recipe = load_recipe(models / manifest.voice.recipe, VoiceRecipe)
    faces = load_face_data(face_folder)
    voices = load_voice_data(voice_folder, tuple(recipe.shares))
    face_net = FaceNet(models, manifest.face)
    voice_model = VoiceRunner(models / manifest.voice.file)
    shipped = FusionOptions()
    fitted, rows = (0.0, 0.0), ""
    print("| pairs | face alone | voice alone | 70-30 | ours | ours, shown | unsure | ours, ECE |")
    print("|---|---|---|---|---|---|---|---|")
    splits: tuple[tuple[str, NDArray[np.intp], Split], ...] = (
        (_CHOOSING, faces.held_out, "validation"),
        ("PrivateTest", faces.rows("PrivateTest"), "test"),
    )
    for face_split, judged, voice_split in splits:
        corpus = next(
            c for c in load_split(voices, recipe, voice_split, work) if c.name == "ravdess"
        )
        among = truth_of(faces, judged).among_seven
        judged, face_truth = judged[among >= 0], among[among >= 0]
        face_pairs, voice_pairs, truth = _pairs(face_truth, corpus.labels)
        rows = f"{len(set(face_pairs))} distinct faces, {len(set(voice_pairs))} distinct clips"
        for bad_face, bad_voice in ((False, False), (True, False), (False, True)):
            face = _read_faces(face_net, faces.pixels[judged], bad_face)
            voice = _read_voices(voice_model, manifest.voice, voices, recipe, corpus, bad_voice)
            face, voice = _take(face, face_pairs), _take(voice, voice_pairs)
            if face_split == _CHOOSING and not (bad_face or bad_voice):
                fitted = _fit_weights(face, voice, truth, manifest)
            ours = _join(face, voice, truth, _options(manifest, shipped))
            degraded = ", blurred dark face" * bad_face
            degraded += f", noise at {NOISY_SNR_DB:g} dB" * bad_voice
            print(
                f"| {face_split} + RAVDESS {voice_split}{degraded} | "
                f"{_hits(face.probabilities, truth):.1%} | "
                f"{_hits(voice.probabilities, truth):.1%} | "
                f"{_hits(0.7 * face.probabilities + 0.3 * voice.probabilities, truth):.1%} | "
                f"**{_hits(ours.belief, truth):.1%}** | {ours.right:.1%} | {ours.unsure:.1%} | "
                f"{calibration_error(ours.belief, truth, weights=_everyday(truth)):.3f} |",
                flush=True,
            )
    print(f"\n{len(truth):,} pairs a row ({rows} in the last three). Weights as shipped: face")
    print(f"{shipped.face_weight:g}, voice {shipped.voice_weight:g}; likeliest on the pairs of")
    print(f"{_CHOOSING}, of 0.4 to 1.6 each: face {fitted[0]:g}, voice {fitted[1]:g}.")


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


def _read_faces(net: FaceNet, pixels: NDArray[np.uint8], bad: bool) -> Readings:
    import cv2

    if bad:
        dark = [cv2.GaussianBlur(crop, (0, 0), 1.6) // 3 for crop in pixels]
        pixels = np.asarray(dark, np.uint8)
    read = [net.read_and_judge(crop) for crop in tqdm(pixels, desc="faces", leave=False)]
    known = [quality(_FACE, crop, is_face) for crop, (_, is_face) in zip(pixels, read, strict=True)]
    return Readings(np.array([each for each, _ in read]), np.array(known))


def _read_voices(
    model: VoiceRunner,
    entry: Entry,
    data: VoiceData,
    recipe: VoiceRecipe,
    corpus: Corpus,
    bad: bool,
) -> Readings:
    features = corpus.plain()
    if bad:
        recordings = [corpus.recordings[row] for row in corpus.rows]
        features = noisy_features(data, recipe, recordings, NOISY_SNR_DB)
    probabilities = softmax(model.logits(features)[0], entry.temperature)
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


def _options(manifest: Manifest, weights: FusionOptions) -> FusionOptions:
    """As shipped, with the class priors of the models and the senses' weights of *weights*."""
    return FusionOptions(
        face_class_prior=np.array(manifest.face.class_prior),
        voice_class_prior=np.array(manifest.voice.class_prior),
        face_weight=weights.face_weight,
        voice_weight=weights.voice_weight,
    )


def _everyday(truth: Labels) -> NDArray[np.float64]:
    """How often each pair would occur if emotions were as frequent as the shipped prior says."""
    prior = np.array([DEFAULT_PRIOR[name] for name in EMOTIONS])
    return np.asarray((prior / np.bincount(truth, minlength=len(EMOTIONS)))[truth])


def _fit_weights(
    face: Readings, voice: Readings, truth: Labels, manifest: Manifest
) -> tuple[float, float]:
    """Weights of face and voice under which the truth is likeliest, on every fourth pair."""
    sample = slice(None, None, 4)
    looks, tones = (
        Readings(each.probabilities[sample], each.quality[sample]) for each in (face, voice)
    )
    labels = truth[sample]
    often = _everyday(labels)

    def loss(weights: tuple[float, float]) -> float:
        options = FusionOptions(face_weight=weights[0], voice_weight=weights[1])
        belief = _join(looks, tones, labels, _options(manifest, options)).belief
        return float(-(often * np.log(belief[np.arange(len(labels)), labels])).sum())

    steps = (0.4, 0.6, 0.8, 1.0, 1.3, 1.6)
    grid = [(face_weight, voice_weight) for face_weight in steps for voice_weight in steps]
    return min(grid, key=loss)


def _hits(probabilities: Rows, truth: Labels) -> float:
    return float((probabilities.argmax(axis=1) == truth).mean())
