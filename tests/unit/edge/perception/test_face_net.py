import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from edge.config.paths import MODELS
from edge.emotions import EMOTIONS
from edge.errors import ModelError
from edge.perception.face_heads import FERPLUS
from edge.perception.face_net import FaceNet
from edge.perception.manifest import Entry, load_manifest
from edge.perception.probability import softmax

ENTRY = load_manifest(MODELS).face


def crop(seed: int, mouth: str = "line") -> NDArray[np.uint8]:
    """A rough drawing of a face, its mouth a "line", a "smile" or an "o"."""
    picture = Image.new("L", (192, 192), 70)
    pen = ImageDraw.Draw(picture)
    pen.ellipse((20, -10, 172, 200), fill=170 + seed)
    for x in (60, 132):
        pen.ellipse((x - 14, 66, x + 14, 84), fill=235)
        pen.ellipse((x - 7, 67, x + 7, 83), fill=20)
        pen.line((x - 20, 54, x + 20, 54), fill=50, width=6)
    if mouth == "smile":
        pen.chord((54, 104, 138, 170), 0, 180, fill=245, outline=60, width=4)
    elif mouth == "o":
        pen.ellipse((78, 124, 114, 176), fill=15)
    else:
        pen.line((66, 146, 126, 146), fill=60, width=6)
    return np.asarray(picture.resize((48, 48), Image.Resampling.BOX), np.uint8)


def changed(**fields: object) -> Entry:
    return ENTRY.model_copy(update=fields)


def test_published_model_answers_in_both_label_sets_and_reads_a_distribution() -> None:
    net = FaceNet(MODELS, ENTRY)
    assert [logits.shape for logits in net.logits(crop(0))] == [(7,), (8,)]
    read = net.read(crop(1))
    assert read.shape == (len(EMOTIONS),)
    assert read.sum() == pytest.approx(1)


def test_model_of_one_head_is_read_alone() -> None:
    alone = FaceNet(MODELS, changed(ferplus=None))
    (logits,) = alone.logits(crop(2))
    np.testing.assert_allclose(alone.read(crop(2)), softmax(logits, ENTRY.temperature))


def test_map_of_an_emotion_adds_up_to_what_the_heads_say_of_it() -> None:
    net = FaceNet(MODELS, ENTRY)
    assert ENTRY.ferplus is not None
    share, order = ENTRY.ferplus.share, [FERPLUS.index(name) for name in EMOTIONS]

    def spoken(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
        seven, eight = net.logits(picture)
        blend = (1 - share) * seven.astype(np.float64) + share * eight[order]
        return np.asarray(blend - blend.mean())

    def mapped(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
        return np.array([net.explain(picture, emotion).mean() for emotion in EMOTIONS])

    # Differences between two crops: the heads' biases fall out.
    said = spoken(crop(0, "smile")) - spoken(crop(0, "o"))
    drawn = mapped(crop(0, "smile")) - mapped(crop(0, "o"))
    np.testing.assert_allclose(drawn, said, atol=0.25)
    assert np.abs(said).max() > 0.5


def test_model_without_feature_map_cannot_explain() -> None:
    with pytest.raises(ModelError, match="gives no feature map"):
        FaceNet(MODELS, changed(class_maps=None)).explain(crop(0), "happy")


def test_manifest_that_does_not_fit_the_model_is_refused() -> None:
    assert ENTRY.ferplus is not None
    assert ENTRY.class_maps is not None
    turned = ENTRY.ferplus.model_copy(update={"labels": FERPLUS[::-1]})
    with pytest.raises(ModelError, match="FER"):
        FaceNet(MODELS, changed(ferplus=turned))
    narrow = ENTRY.class_maps.model_copy(
        update={"weights": tuple(row[:-1] for row in ENTRY.class_maps.weights)}
    )
    with pytest.raises(ModelError, match="do not fit the feature map"):
        FaceNet(MODELS, changed(class_maps=narrow))
    with pytest.raises(ModelError, match="not a grey face crop"):
        FaceNet(MODELS, changed(geometry=None))
