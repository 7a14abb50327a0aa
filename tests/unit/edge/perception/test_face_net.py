from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from edge.config.paths import MODELS
from edge.emotions import EMOTIONS
from edge.errors import ModelError
from edge.messages import Face, Frame
from edge.perception import manifest
from edge.perception.auto_finder import Judge
from edge.perception.blaze_face import as_face
from edge.perception.face_heads import FERPLUS
from edge.perception.face_net import FaceNet
from edge.perception.face_reader import FaceReader, let_judge
from edge.perception.framing import align
from edge.perception.interpreter import Model, TensorSpec
from edge.perception.manifest import Entry, Seen, Tensor, load_manifest
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


SEEN = Tensor(name="seen", shape=(1, 1), dtype="float32", scale=0.0, zero_point=0)


class Telling(Model):
    """The published model with a further output: the brighter a crop, the more of a face."""

    def __init__(self, path: Path, threads: int = 1, content: bytes | None = None) -> None:
        super().__init__(path, threads, content=content)
        self.told = TensorSpec("seen", (1, 1), np.dtype(np.float32), 0.0, 0, 99)
        self.outputs = (*self.outputs, self.told)

    def run_all(
        self, values: NDArray[Any], outputs: Sequence[TensorSpec]
    ) -> list[NDArray[np.float32]]:
        others = iter(super().run_all(values, [each for each in outputs if each is not self.told]))
        odds = np.full((1, 1), values.astype(float).mean() / 8, np.float32)
        return [odds if each is self.told else next(others) for each in outputs]


@pytest.fixture
def telling(monkeypatch: pytest.MonkeyPatch) -> FaceNet:
    monkeypatch.setattr(manifest, "Model", Telling)
    return FaceNet(MODELS, changed(seen=Seen(output=SEEN)))


def test_model_that_tells_faces_says_how_likely_each_crop_is_one(telling: FaceNet) -> None:
    assert telling.knows_faces
    dark = crop(0) // 4
    assert telling.face_odds(crop(0)) > 0 > telling.face_odds(dark)
    for each in (crop(0), dark):
        probabilities, is_face = telling.read_and_judge(each)
        np.testing.assert_allclose(probabilities, FaceNet(MODELS, ENTRY).read(each))
        assert is_face == pytest.approx(1 / (1 + np.exp(-telling.face_odds(each))))


def test_model_that_does_not_tell_faces_is_believed_and_asked_nothing() -> None:
    net = FaceNet(MODELS, changed(seen=None))
    assert net.read_and_judge(crop(0))[1] == 1.0
    with pytest.raises(ModelError, match="does not tell a face"):
        net.face_odds(crop(0))
    finder = Asked()
    let_judge(net, finder)
    assert finder.judge is None


def test_net_judges_where_a_finder_asks(telling: FaceNet) -> None:
    finder = Asked()
    let_judge(telling, finder)
    assert finder.judge is not None
    large = np.asarray(Image.fromarray(crop(0)).resize((192, 192)), np.uint8)
    frame = Frame(np.ascontiguousarray(np.dstack([large] * 3)), 0.0)
    places = [(60, 76), (132, 76), (94, 116), (94, 149), (20, 80), (172, 80)]
    face = as_face((20, 10), (152, 180), places, 0.9)
    odds = telling.face_odds(align(frame, face, telling.geometry))
    assert finder.judge(face, frame) == pytest.approx(odds)


def test_a_face_of_which_the_model_tells_no_number_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Broken(Telling):
        def run_all(
            self, values: NDArray[Any], outputs: Sequence[TensorSpec]
        ) -> list[NDArray[np.float32]]:
            given = super().run_all(values, outputs)
            return [
                np.full((1, 1), np.nan, np.float32) if each is self.told else one
                for each, one in zip(outputs, given, strict=True)
            ]

    monkeypatch.setattr(manifest, "Model", Broken)
    reader = FaceReader(Finding(), MODELS, changed(seen=Seen(output=SEEN)))
    with pytest.raises(ModelError, match="finite numbers"):
        reader.read(Frame(np.full((200, 200, 3), 90, np.uint8), 0.0))


def test_what_tells_of_a_face_is_one_number() -> None:
    with pytest.raises(ModelError, match="is one number"):
        FaceNet(MODELS, changed(seen=Seen(output=ENTRY.output)))


class Asked:
    """A finder that keeps its judge."""

    judge: Judge | None = None

    def judged_by(self, judge: Judge) -> None:
        self.judge = judge

    def find(self, frame: Frame) -> list[Face]:
        return []

    def close(self) -> None:
        pass


class Finding(Asked):
    """A finder that sees a face in every frame."""

    def find(self, frame: Frame) -> list[Face]:
        places = [
            (60.0, 76.0),
            (132.0, 76.0),
            (94.0, 116.0),
            (94.0, 149.0),
            (20.0, 80.0),
            (172.0, 80.0),
        ]
        return [as_face((20, 10), (152, 180), places, 0.9)]
