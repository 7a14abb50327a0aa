import numpy as np
import pytest

pytest.importorskip("torch")

from convert.face.card import how_made
from convert.face.lessons import Lessons
from convert.face.targets import FaceTargets
from convert.training.recipe import FaceRecipe


def test_card_tells_every_stage_of_a_net_that_grew() -> None:
    first = FaceRecipe(epochs=9, stop_after=6, label_share=0.35, mild_epochs=5, teacher_from=3)
    then = FaceRecipe(
        epochs=4,
        blocks=(2, 3, 2),
        label_share=0.8,
        majority_share=0.4,
        ferplus_weight=1.5,
        learn_public=True,
        mild_epochs=4,
        teacher_from=9,
        first=first,
    )
    told = " ".join(how_made(then).split())
    assert "from scratch for 10 epochs" in told
    assert "- 1 + 2 + 2 blocks, 6 epochs; the label has 35% of the target" in told
    assert "in the last 2; from the 4th on" in told
    assert "- 2 + 3 + 2 blocks, 4 epochs; the label has 80% of the target" in told
    assert told.count("40% of the target by FER+ is the emotion of the majority") == 1
    assert told.count("errors by FER+ count 1.5 times") == 1
    assert told.count("that are not held out are trained on too") == 1
    assert told.count("mean teacher") == 1


def test_card_tells_who_taught_and_how_views_were_widened() -> None:
    recipe = FaceRecipe(epochs=4, wide=True, lesson_share=0.5, teacher_from=9)
    none = FaceTargets(np.zeros((0, 7), np.float32), np.zeros((0, 8), np.float32))
    lessons = Lessons(none, np.zeros((3, 48, 48), np.uint8), none, 2)
    told = " ".join(how_made(recipe, lessons).split())
    assert "2 nets trained before (" in told
    assert "of 3 faces of other people that have none" in told
    assert "wide views; 50% of every target is the word of nets trained before" in told
    assert "sunglasses" not in how_made(FaceRecipe(epochs=4))
