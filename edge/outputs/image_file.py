"""The face as a file: a PNG of how it looks now, or a GIF of the whole run."""

import contextlib
import os
from pathlib import Path
from typing import IO, Final

from PIL import Image

from edge.errors import OutputError
from edge.face.animation import Animator
from edge.face.canvas import Mode
from edge.face.draw import draw
from edge.face.gif import GifWriter, enlarged
from edge.messages import Mood
from edge.outputs.panel_view import on_panel, turned
from edge.process.written_files import create_part, publish, written_whole

_MOST_BYTES: Final = 32 * 1024 * 1024
"""A GIF that reaches this size is ended: roughly an hour of a lively face at zoom 4."""


class Picture:
    """Draws the animated face into a file."""

    mends_itself = True
    """After a failure `show` is to be tried again; reopened, a GIF would begin once more."""

    def __init__(
        self,
        path: Path | str,
        *,
        size: tuple[int, int] = (128, 64),
        mode: Mode = "1",
        rotate: int = 0,
        zoom: int = 4,
        fps: float = 12.0,
        seed: int = 0,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        """Open the file.

        Args:
            path: ends in .png (always the latest picture, replaced as a whole) or .gif (all of
                them; complete once `close` was called, until then it is called .gif.part).
            size: width and height of the panel that it stands for, in pixels.
            mode: "1" for mono, "L" for grey, "RGB" for colours.
            rotate: by how many quarters the face is turned on the panel, clockwise.
            zoom: how many pixels of the file a pixel of the panel is wide.
            fps: how many pictures a second are drawn at most.
            seed: of the animation's blinks and glances.
            most_bytes: where a GIF ends.

        Raises:
            OutputError: another ending, or the file cannot be written.
        """
        self._path = Path(path)
        self.name = f"picture {self._path.name}"
        self.interval_s = 1 / fps
        self._size, self._mode, self._zoom = size, mode, zoom
        self._rotate = rotate
        self._most_bytes = most_bytes
        self._animator = Animator(seed)
        self._pixels = b""
        self._t_s = 0.0
        self._file: IO[bytes] | None = None
        self._gif: GifWriter | None = None
        suffix = self._path.suffix.lower()
        if suffix not in (".png", ".gif"):
            raise OutputError(
                f"The picture {self._path} cannot be written: its name must end in .png or .gif."
            )
        self._part = self._path.with_name(self._path.name + ".part")
        try:
            # Unbuffered, so that what does not fit is known while it can be taken back.
            self._file = os.fdopen(create_part(self._part), "w+b", buffering=0)
            if suffix == ".gif":
                colors = 4 if mode == "1" else 32
                self._gif = GifWriter(self._file, size, zoom=zoom, colors=colors)
            else:
                self._file.close()
                self._part.unlink()
        except OSError as error:
            raise self._trouble(error) from error

    def show(self, mood: Mood, t_s: float) -> None:
        """Show *mood*; see `edge.outputs.Output`."""
        pose = self._animator.pose(mood, t_s)
        self.show_picture(draw(pose, self.size, self._mode), t_s)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures in pixels, before they are turned."""
        return turned(self._size, self._rotate)

    @property
    def mode(self) -> Mode:
        """What it shows: "1" mono, "L" greys, "RGB" colours."""
        return self._mode

    def show_picture(self, picture: Image.Image, t_s: float) -> None:
        """Show *picture*, of `size` and in `mode`, from time *t_s* on.

        Raises:
            OutputError: as `show`.
        """
        picture = on_panel(picture, self._rotate)
        self._t_s = t_s
        pixels = picture.tobytes()
        if pixels == self._pixels:
            return
        try:
            if self._path.suffix.lower() == ".png":
                zoomed = enlarged(picture, self._zoom)
                with written_whole(self._path) as file:
                    zoomed.save(file, format="PNG")
            elif self._gif is not None:
                self._gif.add(picture, t_s)
                if self._gif.size_bytes >= self._most_bytes:
                    self._finish()
        except OSError as error:
            raise self._trouble(error) from error
        self._pixels = pixels

    def close(self) -> None:
        """End the GIF, showing the last picture until now; the latest PNG stays."""
        with contextlib.suppress(OSError):
            self._finish()

    def _finish(self) -> None:
        gif, self._gif = self._gif, None
        if gif is None or self._file is None:
            return
        with self._file:
            gif.finish(self._t_s + self.interval_s)
            publish(self._file.fileno(), self._part, self._path)

    def _trouble(self, error: OSError) -> OutputError:
        reason = (error.strerror or str(error)).lower()
        return OutputError(
            f"The picture {self._path} cannot be written ({reason}): "
            "name a file in a folder that exists, may be written to and has room."
        )
