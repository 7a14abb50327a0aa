"""In the guest: what libcamera's virtual camera lacks of a Raspberry Pi's, under the real picamera2.

The virtual camera gives NV12 alone, in buffers of two planes, and has no raw pictures; a Raspberry Pi
gives YUV420, in buffers of one, and has them. All else is picamera2's and libcamera's own.
"""

import sys
from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

STATEMENT: Final = (
    "made up for by the rig: no raw modes, two planes a buffer, NV12 reordered to YUV420 in place, "
    "zeroed memory for a status that libcamera leaves unset, the heap's name, a stand-in for pykms"
)
"""All that the rig has put between picamera2 and this camera, the proof's unit included."""


class _Anything(ModuleType):
    """Stands for pykms, which draws on a screen and is imported by picamera2 even where none is."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self


def planar(chroma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """NV12's U and V in turns as YUV420's: all U, then all V.

    Args:
        chroma: shape [width * height / 2].
    """
    return np.concatenate([chroma[0::2], chroma[1::2]])


def without_screen() -> None:
    """Let picamera2 be imported where Raspberry Pi OS's pykms is not."""
    sys.modules.setdefault("pykms", _Anything("pykms"))


def install(reordered: bool = True) -> Any:
    """Put the virtual camera's picamera2 in the place of the real one; the class.

    Args:
        reordered: pass its NV12 off as YUV420.
    """
    without_screen()
    import libcamera  # type: ignore[import-not-found, unused-ignore]
    import picamera2
    from picamera2.allocators import DmaAllocator

    original = getattr(picamera2, "original", picamera2.Picamera2)

    class TwoPlanes(DmaAllocator):  # type: ignore[misc, unused-ignore]
        """The real allocator's buffers, declared to be of two planes, as NV12 is."""

        def allocate(self, libcamera_config: Any, use_case: Any) -> None:
            super().allocate(libcamera_config, use_case)
            own = iter(self.open_fds)
            for config in libcamera_config:
                luma = config.size.width * config.size.height
                parts = ((0, luma), (luma, config.frame_size - luma))
                whole = self.frame_buffers[config.stream]
                split = [self._split(buffer, next(own), parts) for buffer in whole]
                self.frame_buffers[config.stream] = split

        def _split(self, buffer: Any, descriptor: int, parts: Any) -> Any:
            planes = []
            for offset, length in parts:
                plane = libcamera.FrameBuffer.Plane()
                plane.fd, plane.offset, plane.length = descriptor, offset, length
                planes.append(plane)
            split = libcamera.FrameBuffer(planes)
            # It finds memory by the buffer, and marks what is in use by the first plane's descriptor.
            old, new = buffer.planes[0].fd, split.planes[0].fd
            self.mapped_buffers[split] = self.mapped_buffers.pop(buffer)
            self.mapped_buffers_used[new] = self.mapped_buffers_used.pop(old)
            self.libcamera_fds[self.libcamera_fds.index(old)] = new
            return split

    class VirtualPicamera2(original):  # type: ignore[misc, valid-type, unused-ignore]
        """Picamera2 with the virtual camera's differences hidden."""

        def __init__(self, number: int = 0) -> None:
            super().__init__(number, allocator=TwoPlanes())
            if reordered:
                self.pre_callback = self._reorder

        def _get_raw_modes(self) -> list[dict[str, Any]]:
            view = self.camera.generate_configuration([libcamera.StreamRole.Viewfinder]).at(0)
            return [{"format": str(view.pixel_format), "size": (view.size.width, view.size.height)}]

        def configure_(self, camera_config: Any) -> None:
            super().configure_(camera_config)
            if reordered:
                for name in ("main", "lores"):
                    self.camera_config[name]["format"] = "YUV420"

        def _reorder(self, request: Any) -> None:
            with picamera2.MappedArray(request, "lores", reshape=False) as mapped:
                width, height = request.config["lores"]["size"]
                chroma = mapped.array[width * height : width * height * 3 // 2]
                chroma[:] = planar(chroma)

    picamera2.original = original
    picamera2.Picamera2 = VirtualPicamera2
    return VirtualPicamera2
