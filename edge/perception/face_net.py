"""The int8 face net of a manifest entry: a crop in, seven probabilities out."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.config.paths import restore_models
from edge.emotions import EMOTIONS
from edge.errors import ModelError
from edge.perception.face_heads import FERPLUS, FaceHeads, class_map
from edge.perception.interpreter import TensorSpec
from edge.perception.manifest import Entry, claimed_output, open_model
from edge.perception.probability import sigmoid, softmax


def heads_of(entry: Entry) -> FaceHeads:
    """How the heads of the face model of *entry* are read; one head by itself where it has no other."""
    if entry.ferplus is None:
        return FaceHeads(0.0, entry.temperature)
    return FaceHeads(entry.ferplus.share, entry.temperature, entry.ferplus.offsets)


class FaceNet:
    """A model of one head (the seven emotions) or of two (and the eight of FER+)."""

    def __init__(self, folder: Path, entry: Entry, threads: int = 1) -> None:
        """Load the net of *entry* in *folder*.

        Raises:
            ModelError: it is not the model that the manifest names, or takes no raw grey crop.
        """
        path = folder / entry.file
        self._model, output = open_model(folder, entry, threads)
        spec = self._model.input
        if entry.geometry is None or spec.shape != (
            1,
            entry.geometry.height_px,
            entry.geometry.width_px,
            1,
        ):
            raise ModelError(f"{path} takes {list(spec.shape)}, not a grey face crop.")
        if spec.dtype not in ("int8", "uint8"):
            raise ModelError(f"{path} takes {spec.dtype}, not a raw int8 crop.")
        self.geometry = entry.geometry
        """Where a crop has its eyes and mouth."""
        self._signed = spec.dtype == "int8"
        self._temperature = entry.temperature
        self._outputs = [output]
        self._heads: FaceHeads | None = None
        if entry.ferplus is not None:
            if entry.ferplus.labels != FERPLUS:
                raise ModelError(
                    f"{path}: its FER+ labels are not {', '.join(FERPLUS)}; {restore_models(folder)}."
                )
            self._outputs.append(claimed_output(path, self._model, entry.ferplus.output))
            self._heads = heads_of(entry)
        self._seen: TensorSpec | None = None
        if entry.seen is not None:
            self._seen = claimed_output(path, self._model, entry.seen.output)
            if math.prod(self._seen.shape) != 1:
                raise ModelError(
                    f"{path}: what tells whether there is a face is one number, not "
                    f"{list(self._seen.shape)}; {restore_models(folder)}."
                )
        self._features = None
        if entry.class_maps is not None:
            self._features = claimed_output(path, self._model, entry.class_maps.output)
            weights = np.array(entry.class_maps.weights)
            if weights.shape != (len(EMOTIONS), self._features.shape[-1]):
                raise ModelError(
                    f"{path}: its class maps do not fit the feature map; {restore_models(folder)}."
                )
            self._weights = weights - weights.mean(axis=0)

    def logits(self, crop: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Grey crop uint8 [height, width] -> logits [7], and [8] of FER+ where there are two heads."""
        return [batch[0] for batch in self._model.run_all(self._input(crop), self._outputs)]

    def read(self, crop: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Grey crop uint8 [height, width] -> calibrated probabilities [7]."""
        return self._read(self.logits(crop))

    def read_and_judge(self, crop: NDArray[np.uint8]) -> tuple[NDArray[np.float64], float]:
        """As `read`, and the probability that there is a face, 0-1; 1 from a model that does not tell."""
        if self._seen is None:
            return self.read(crop), 1.0
        batches = self._model.run_all(self._input(crop), [*self._outputs, self._seen])
        *logits, odds = (batch.reshape(-1) for batch in batches)
        return self._read(logits), float(sigmoid(odds[0]))

    def _read(self, logits: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
        if self._heads is None:
            return softmax(logits[0], self._temperature)
        return self._heads.blend(*logits)

    @property
    def knows_faces(self) -> bool:
        """Whether it tells a face from what only looks like one to the detector."""
        return self._seen is not None

    def face_odds(self, crop: NDArray[np.uint8]) -> float:
        """Log-odds that the grey crop, uint8 [height, width], shows a face.

        Raises:
            ModelError: this model does not tell.
        """
        if self._seen is None:
            raise ModelError(
                "This face model does not tell a face from something else; use the model of the release "
                "or convert it with seen as an output."
            )
        (odds,) = self._model.run_all(self._input(crop), [self._seen])
        return float(odds.reshape(-1)[0])

    def features(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The last feature map of a grey crop, uint8 [height, width]: [h, w, channels].

        Raises:
            ModelError: this model does not give its feature map.
        """
        if self._features is None:
            raise ModelError(
                "This face model gives no feature map, so it cannot show where it looked; use the "
                "model of the release or convert it with its features as an output."
            )
        (features,) = self._model.run_all(self._input(crop), [self._features])
        found: NDArray[np.float32] = features[0]
        return found

    def explain(self, crop: NDArray[np.uint8], emotion: str) -> NDArray[np.float64]:
        """Where the net saw *emotion*: [h, w] over the crop, positive where it speaks for it.

        Raises:
            ModelError: this model does not give its feature map.
        """
        return class_map(self.features(crop), self._weights[EMOTIONS.index(emotion)])

    def _input(self, crop: NDArray[np.uint8]) -> NDArray[np.int8] | NDArray[np.uint8]:
        # grey - 128 as int8 is the same byte with its top bit turned: no arithmetic in floats.
        raw = (crop ^ 0x80).view(np.int8) if self._signed else crop
        return raw[None, :, :, None]
