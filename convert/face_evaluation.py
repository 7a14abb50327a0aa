"""Every figure of the face model, measured from the .tflite alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from convert.face_data import FaceData
from convert.metrics import (
    Labels,
    Scores,
    calibration_error,
    fit_temperature,
    score,
    softmax_rows,
)
from edge.emotions import EMOTIONS
from edge.perception.interpreter import Model


@dataclass(frozen=True, eq=False)
class FaceEvaluation:
    """Figures on FER2013 PrivateTest; the temperature is fitted on PublicTest."""

    private: Scores
    private_without_copies: Scores
    """Without the test rows whose pixels also are a training row."""
    public: Scores
    temperature: float
    error_before: float
    """Expected calibration error on PrivateTest at temperature 1."""
    error_after: float


def logits_of(model: Model, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 [rows, 48, 48] -> logits float32 [rows, 7], one forward pass each."""
    output = model.output((1, len(EMOTIONS)))
    raw = (pixels ^ 0x80).view(np.int8)
    rows = [model.run(crop[None, :, :, None], output)[0] for crop in tqdm(raw, desc="int8")]
    return np.array(rows, np.float32)


def evaluate_logits(
    data: FaceData, public: NDArray[np.float32], private: NDArray[np.float32]
) -> FaceEvaluation:
    """Judge logits of all PublicTest and PrivateTest rows."""
    truth_public = data.label[data.rows("PublicTest")]
    truth = data.label[data.rows("PrivateTest")]
    fresh = ~data.dup_in_train[data.rows("PrivateTest")]
    temperature = fit_temperature(public, truth_public)

    def judge(logits: NDArray[np.float32], labels: Labels) -> Scores:
        return score(labels, logits.argmax(axis=1), len(EMOTIONS))

    return FaceEvaluation(
        private=judge(private, truth),
        private_without_copies=judge(private[fresh], truth[fresh]),
        public=judge(public, truth_public),
        temperature=temperature,
        error_before=calibration_error(softmax_rows(private, 1.0), truth),
        error_after=calibration_error(softmax_rows(private, temperature), truth),
    )


def evaluate_face(model: Model, data: FaceData) -> FaceEvaluation:
    """Run the int8 model over both test splits."""
    return evaluate_logits(
        data,
        logits_of(model, data.pixels[data.rows("PublicTest")]),
        logits_of(model, data.pixels[data.rows("PrivateTest")]),
    )
