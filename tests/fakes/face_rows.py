"""Made-up rows of FER2013 for the tests of the face training."""

import numpy as np

from convert.face.data import FaceData


def face_rows(rows: int = 600) -> FaceData:
    """Two kinds of faces; votes tell them apart, labels are wrong for every fourth."""
    random = np.random.default_rng(0)
    kind = random.integers(0, 2, rows)
    label = np.where(random.random(rows) < 0.25, 1 - kind, kind) * 3  # 0 = angry, 3 = happy
    votes = np.zeros((rows, 10), np.float32)
    votes[np.arange(rows), np.where(kind == 0, 4, 1)] = 10  # anger, happiness
    votes[-10:] = 0
    return FaceData(
        pixels=np.zeros((rows, 48, 48), np.uint8),
        label=label.astype(np.int64),
        usage=np.zeros(rows, np.uint8),
        all_votes=votes,
        majority=np.where(kind == 0, 4, 1).astype(np.int64),
        dup_in_train=np.zeros(rows, bool),
    )
