"""Does it help to know somebody at rest? Unseen speakers, before and after."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from convert.metrics import Labels, score
from convert.training.recipe import VoiceRecipe, load_recipe
from edge.calibration.prior import STRENGTH, baseline_of, shifted
from edge.emotions import EMOTIONS
from edge.fusion import Fusion, FusionOptions
from edge.messages import VoiceReading
from edge.perception.manifest import Entry, check_hash, load_manifest
from edge.perception.probability import softmax

if TYPE_CHECKING:
    from convert.voice.runner import VoiceRunner
    from convert.voice.splits import Corpus, Split

NEUTRALS = 2
"""Neutral clips that a speaker is calibrated with: about six seconds of speech."""
RECORDING_S = 3.0
"""Good seconds that a clip stands for: the length of a window."""
DRAWS = 30
"""How often the recordings are drawn."""
STRENGTHS = (0.5, 1.0, 2.0, 4.0)
TOLERANCE = 0.005
"""Balanced accuracy that a strength may cost on the validation actors. One clip of the 24 that three
actors have of an emotion is worth 0.006, so that less than this cannot be told from nothing."""
_LEAST_NEUTRAL = NEUTRALS + 4
"""Speakers with fewer neutral clips are left out: hardly any would be left to score."""
_NEUTRAL = EMOTIONS.index("neutral")


@dataclass(frozen=True)
class Speaker:
    """Readings of one person's clips, each as recorded, one window each."""

    name: str
    probabilities: NDArray[np.float64]
    """Shape [clips, 7], calibrated by the model's temperature."""
    labels: Labels


@dataclass(frozen=True)
class Metrics:
    """Of scored clips, none of which was calibrated with."""

    balanced: float
    """Balanced accuracy of the belief's leading emotion."""
    false: float
    """Share of the neutral clips whose belief led with another emotion."""
    shown: float
    """Share of the neutral clips for which another emotion was shown; "unsure" is none."""
    surprise: float
    """Cross-entropy of the belief with the labels, in nats."""


@dataclass(frozen=True)
class Outcome:
    """What the filter made of one clip."""

    belief: NDArray[np.float64]
    shown: str


def evaluate_calibration(folder: Path, models: Path, work: Path) -> None:
    """Print what calibrating does to voices: the choice of the strength, then the held-out speakers.

    For each speaker and draw, `NEUTRALS` neutral clips make the calibration and all the others are
    scored, by the filter as shipped, hearing nothing but the clip's one reading for three seconds.

    Raises:
        ModelError: the model is not the one of its manifest.
        DataError: the voices are not there or not whole.
    """
    from convert.voice.data import load_voice_data
    from convert.voice.runner import VoiceRunner
    from convert.voice.splits import load_split

    manifest = load_manifest(models)
    check_hash(models / manifest.voice.file, manifest.voice.sha256)
    recipe = load_recipe(models / manifest.voice.recipe, VoiceRecipe)
    data = load_voice_data(folder, tuple(recipe.shares))
    model, options = VoiceRunner(models / manifest.voice.file), FusionOptions()
    options = replace(options, voice_class_prior=np.array(manifest.voice.class_prior))

    def speakers(split: "Split") -> list[Speaker]:
        return [
            speaker
            for corpus in load_split(data, recipe, split, work)
            for speaker in _speakers(corpus, model, manifest.voice)
        ]

    print(f"{manifest.voice.file}, SHA-256 {manifest.voice.sha256[:12]}, int8; voice alone.\n")
    _choose(speakers("validation"), options)
    _report("Held-out RAVDESS actors", speakers("test"), options)
    _report("Unseen speakers of other corpora", speakers("elsewhere"), options)
    print("The face: FER2013 does not say who is in its pictures, so what a calibration does to a")
    print("face was not measured. It uses the strength that was chosen on voices.")


def effect(
    speaker: Speaker, options: FusionOptions, strength: float, draws: int = DRAWS
) -> list[tuple[Metrics, Metrics]]:
    """Figures (without, with) calibration for each draw of the clips to calibrate with.

    Raises:
        ValueError: the speaker has too few neutral clips.
    """
    neutral = np.flatnonzero(speaker.labels == _NEUTRAL)
    if len(neutral) < _LEAST_NEUTRAL:
        raise ValueError(f"{speaker.name} has only {len(neutral)} neutral clips")
    random = np.random.default_rng(zlib.crc32(speaker.name.encode()))
    before = [run_filter(options, reading) for reading in speaker.probabilities]
    pairs = []
    for _ in range(draws):
        known = random.choice(neutral, NEUTRALS, replace=False)
        rest = baseline_of(speaker.probabilities[known], np.full(NEUTRALS, RECORDING_S), "")
        prior = shifted(options.voice_class_prior, rest, strength)
        person = replace(options, voice_class_prior=prior)
        scored = np.setdiff1d(np.arange(len(speaker.labels)), known)
        truth = speaker.labels[scored]
        after = [run_filter(person, speaker.probabilities[row]) for row in scored]
        pairs.append((_metrics([before[row] for row in scored], truth), _metrics(after, truth)))
    return pairs


def run_filter(options: FusionOptions, reading: NDArray[np.float64]) -> Outcome:
    """What three seconds of one reading, twice a second, lead the filter to."""
    fusion = Fusion(options)
    for tick in range(7):
        mood = fusion.update([VoiceReading(tick / 2, reading, 1.0)], tick / 2)
    return Outcome(mood.probabilities, mood.shown)


def _metrics(outcomes: list[Outcome], truth: Labels) -> Metrics:
    beliefs = np.array([each.belief for each in outcomes])
    guess = beliefs.argmax(axis=1)
    shown = np.array([each.shown for each in outcomes])
    neutral = truth == _NEUTRAL
    return Metrics(
        score(truth, guess, len(EMOTIONS)).balanced_accuracy,
        float((guess[neutral] != _NEUTRAL).mean()),
        float((~np.isin(shown[neutral], ("neutral", "unsure"))).mean()),
        float(-np.log(beliefs[np.arange(len(truth)), truth]).mean()),
    )


def _speakers(corpus: "Corpus", model: "VoiceRunner", entry: Entry) -> Iterator[Speaker]:
    probabilities = softmax(model.logits(corpus.plain())[0], entry.temperature)
    names = np.array([corpus.recordings[row].speaker for row in corpus.rows])
    for name in np.unique(names):
        own = names == name
        if (corpus.labels[own] == _NEUTRAL).sum() >= _LEAST_NEUTRAL:
            yield Speaker(str(name), probabilities[own], corpus.labels[own])


def _choose(speakers: list[Speaker], options: FusionOptions) -> None:
    """Print the strengths side by side, and the one that the rule takes."""
    names = ", ".join(speaker.name for speaker in speakers)
    print(f"Choosing the strength on {names}:\n")
    print("| strength | balanced accuracy | neutral read as an emotion | shown as one | nats |")
    print("|---|---|---|---|---|")
    tried = {
        strength: _mean(
            [_mean([after for _, after in effect(s, options, strength)]) for s in speakers]
        )
        for strength in (0.0, *STRENGTHS)
    }
    chosen, start, best = 0.0, tried[0.0], tried[0.0]
    for strength, after in tried.items():
        harmless = after.balanced >= start.balanced - TOLERANCE and after.surprise < start.surprise
        if harmless and after.false < best.false:
            chosen, best = strength, after
        print(
            f"| {strength:g} | {after.balanced:.1%} | {after.false:.1%} | {after.shown:.1%} | "
            f"{after.surprise:.3f} |"
        )
    print("\nThe rule: fewest emotions read into neutral clips, among strengths that lower the")
    print(f"cross-entropy (nats) and cost at most {100 * TOLERANCE:g} points of balanced accuracy.")
    print(f"It takes {chosen:g}; shipped is {STRENGTH:g}.\n")


def _report(title: str, speakers: list[Speaker], options: FusionOptions) -> None:
    """Print a row for each speaker and one for their mean, at the strength that is shipped."""
    print(
        f"{title}; strength {STRENGTH:g}, {NEUTRALS} neutral clips to calibrate, {DRAWS} draws:\n"
    )
    print(
        "| speaker | clips scored (neutral) | neutral read as an emotion | shown as one "
        "| balanced accuracy | worst draw |"
    )
    print("|---|---|---|---|---|---|")
    rows = []
    for speaker in speakers:
        pairs = effect(speaker, options, STRENGTH)
        without, with_ = _mean([b for b, _ in pairs]), _mean([a for _, a in pairs])
        worst = min(after.balanced - before.balanced for before, after in pairs)
        rows.append((without, with_, worst))
        neutral = int((speaker.labels == _NEUTRAL).sum()) - NEUTRALS
        print(
            f"| {speaker.name} | {len(speaker.labels) - NEUTRALS} ({neutral}) | "
            f"{_change(without, with_)} | {100 * worst:+.1f} |"
        )
    if len(rows) > 1:
        without, with_ = _mean([row[0] for row in rows]), _mean([row[1] for row in rows])
        print(f"| mean of {len(rows)} | | {_change(without, with_)} | |")
    print()


def _change(before: Metrics, after: Metrics) -> str:
    return (
        f"{before.false:.1%} -> {after.false:.1%} | {before.shown:.1%} -> {after.shown:.1%} | "
        f"{before.balanced:.1%} -> {after.balanced:.1%}"
    )


def _mean(metrics: list[Metrics]) -> Metrics:
    rows = [(each.balanced, each.false, each.shown, each.surprise) for each in metrics]
    return Metrics(*(float(column) for column in np.mean(rows, axis=0)))
