"""Readings that know how a person looks at rest, fitted on some people and tried on others."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("cv2")
pytest.importorskip("torch")
pytest.importorskip("tqdm")

from convert.studies.resting import NEUTRAL, Looks, led, shifted


def looks(people: int, seed: int) -> Looks:
    """Everybody shows three emotions; only the way from rest tells which, and the net says sad."""
    random = np.random.default_rng(seed)
    truth = np.tile([0, 3, NEUTRAL], people)
    directions = np.random.default_rng(0).normal(size=(7, 12))
    directions[NEUTRAL] = 0
    logits = np.log(np.full((3 * people, 7), 0.1))
    logits[:, 4] = np.log(0.4)
    return Looks(
        logits,
        directions[truth] + random.normal(0, 0.2, (3 * people, 12)),
        np.log(np.full((3 * people, 7), 1 / 7)),
        truth,
        np.repeat([f"{seed}/{person}" for person in range(people)], 3),
        np.full(3 * people, "one"),
    )


def test_head_on_the_way_from_rest_reads_people_that_it_has_never_met() -> None:
    reader = led(looks(12, 1), 1)
    others = looks(10, 2)
    assert (reader(others) == others.truth).mean() > 0.9
    aimless = replace(others, away=np.zeros_like(others.away))
    assert (reader(aimless) == others.truth).mean() < 0.5


def test_who_looks_sad_at_rest_is_read_as_neutral_once_that_is_known() -> None:
    known = looks(12, 3)
    sad = np.log(np.full((36, 7), 0.05))
    sad[:, 4] = np.log(0.7)
    logits = sad.copy()
    logits[np.arange(36), known.truth] += np.where(known.truth == NEUTRAL, 0, 4)
    known = replace(known, rest=sad, logits=logits)
    assert (logits.argmax(axis=1) == known.truth).mean() < 0.7
    assert (shifted(known)(known) == known.truth).mean() > 0.95
