"""From a frame to what the attended face seems to feel."""

from pathlib import Path
from typing import Protocol

from edge.errors import ModelError
from edge.messages import Face, FaceReading, Frame, NoFace, Point
from edge.perception.face_finder import Attention
from edge.perception.framing import align, quality
from edge.perception.interpreter import softmax
from edge.perception.manifest import Entry, open_model


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


class FaceReader:
    """Finder, framing and the int8 face net in a row."""

    def __init__(self, finder: Finder, folder: Path, entry: Entry, threads: int = 1) -> None:
        """Load the net of *entry* in *folder*.

        Raises:
            ModelError: it is not the model that the manifest names, or takes no raw grey crop.
        """
        self._finder = finder
        self._model, self._output = open_model(folder, entry, threads)
        spec = self._model.input
        geometry = entry.geometry
        if geometry is None or spec.shape != (1, geometry.height_px, geometry.width_px, 1):
            raise ModelError(
                f"{folder / entry.file} takes {list(spec.shape)}, not a grey face crop."
            )
        if spec.dtype not in ("int8", "uint8"):
            raise ModelError(f"{folder / entry.file} takes {spec.dtype}, not a raw int8 crop.")
        self._signed = spec.dtype == "int8"
        self._geometry = geometry
        self._temperature = entry.temperature
        self._attention = Attention()

    def read(self, frame: Frame) -> FaceReading | NoFace:
        """The seven probabilities of the attended face, or that nobody is there."""
        faces = self._finder.find(frame)
        face = self._attention.choose(faces, frame.t_s)
        if face is None:
            return NoFace(frame.t_s)
        crop = align(frame, face, self._geometry)
        # grey - 128 as int8 is the same byte with its top bit turned: no arithmetic in floats.
        raw = (crop ^ 0x80).view("int8") if self._signed else crop
        logits = self._model.run(raw[None, :, :, None], self._output)[0]
        return FaceReading(
            frame.t_s,
            softmax(logits, self._temperature),
            quality(face, crop),
            face,
            len(faces),
            gaze_at(face, frame),
        )

    def close(self) -> None:
        """Free the finder."""
        self._finder.close()
