"""From a frame to what the attended face seems to feel."""

from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from edge.errors import ModelError
from edge.messages import Face, FaceReading, Frame, NoFace, Point
from edge.perception.attention import Attention
from edge.perception.auto_finder import Judge
from edge.perception.face_net import FaceNet
from edge.perception.framing import align
from edge.perception.manifest import Entry
from edge.perception.quality import quality


class Finder(Protocol):
    """Finds the faces in a frame."""

    def find(self, frame: Frame) -> list[Face]:
        """All faces, in the frame's pixels."""

    def close(self) -> None:
        """Free what it holds."""


def gaze_at(face: Face, frame: Frame) -> Point:
    """Middle of *face* in *frame*, each -1 to 1 from edge to edge."""
    height, width = frame.image.shape[:2]
    x = (face.x_px + face.width_px / 2) / width * 2 - 1
    y = (face.y_px + face.height_px / 2) / height * 2 - 1
    return (min(1.0, max(-1.0, x)), min(1.0, max(-1.0, y)))


@runtime_checkable
class Judged(Protocol):
    """A finder that asks somebody else as well whether something is a face."""

    def judged_by(self, judge: Judge) -> None:
        """Ask *judge* from now on."""


def let_judge(net: FaceNet, finder: Finder) -> None:
    """Let the *net* have a say in what the *finder* takes for a face, where both can."""
    if net.knows_faces and isinstance(finder, Judged):
        finder.judged_by(lambda face, frame: net.face_odds(align(frame, face, net.geometry)))


class FaceReader:
    """Finder, framing and the int8 face net in a row."""

    def __init__(self, finder: Finder, folder: Path, entry: Entry, threads: int = 1) -> None:
        """Load the net of *entry* in *folder*.

        Raises:
            ModelError: it is not the model that the manifest names, or takes no raw grey crop.
        """
        self._finder = finder
        self._net = FaceNet(folder, entry, threads)
        let_judge(self._net, finder)
        self._attention = Attention()

    def read(self, frame: Frame) -> FaceReading | NoFace:
        """The seven probabilities of the attended face, or that nobody is there."""
        faces = self._finder.find(frame)
        face = self._attention.choose(faces, frame.t_s)
        if face is None:
            return NoFace(frame.t_s)
        crop = align(frame, face, self._net.geometry)
        probabilities, is_face = self._net.read_and_judge(crop)
        if not (np.isfinite(probabilities).all() and np.isfinite(is_face)):
            raise ModelError(
                "The face model gave no seven finite numbers; convert it from sound weights again, "
                'or take that of Mien with [models] folder = "auto".'
            )
        return FaceReading(
            frame.t_s,
            probabilities,
            quality(face, crop, is_face),
            face,
            len(faces),
            gaze_at(face, frame),
        )

    def close(self) -> None:
        """Free the finder."""
        self._finder.close()
