"""Thin-plate splines: the smoothest bending of a picture that carries given points along."""

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Map = NDArray[np.float32]

GRID_STEP_PX = 10
"""The bending is smooth, so it is worked out on a grid this coarse and interpolated between."""


def _kernel(a: Floats, b: Floats) -> Floats:
    """The r² log r of every pair of points, shapes [n, 2] and [m, 2] to [n, m]."""
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :] - 2 * a @ b.T
    result: Floats = 0.5 * squared * np.log(np.maximum(squared, 1e-12))
    return result


def bend(at: Floats, values: Floats, where: Floats) -> Floats:
    """Interpolate *values* known at points, after Bookstein (1989).

    Args:
        at: shape [n, 2], distinct points, at least three of them not in one line.
        values: shape [n, k], what to reach at each of them.
        where: shape [m, 2], where to evaluate.

    Returns:
        Shape [m, k]; an affine change of *values* comes out exactly.
    """
    n = len(at)
    system = np.zeros((n + 3, n + 3))
    system[:n, :n] = _kernel(at, at)
    system[:n, n:] = np.column_stack([np.ones(n), at])
    system[n:, :n] = system[:n, n:].T
    target = np.zeros((n + 3, values.shape[1]))
    target[:n] = values
    weights = np.linalg.solve(system, target)
    result: Floats = (
        _kernel(where, at) @ weights[:n]
        + np.column_stack([np.ones(len(where)), where]) @ weights[n:]
    )
    return result


def backward_map(source: Floats, moved: Floats, width_px: int, height_px: int) -> tuple[Map, Map]:
    """Where every pixel comes from when *source* points are carried to *moved*, for `cv2.remap`.

    Args:
        source: shape [n, 2], (x, y) in pixels of the picture as it is.
        moved: shape [n, 2], where those points shall be.
        width_px: size of the picture.
        height_px: size of the picture.

    Returns:
        Two maps, x and y, of shape [height, width].
    """
    xs = np.arange(0, width_px + GRID_STEP_PX, GRID_STEP_PX)
    ys = np.arange(0, height_px + GRID_STEP_PX, GRID_STEP_PX)
    grid = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2).astype(np.float64)
    shift = bend(moved, source - moved, grid).reshape(len(ys), len(xs), 2).astype(np.float32)
    # cv2.resize aligns pixel edges, not centres; sample the coarse grid at exact positions instead.
    px = (np.arange(width_px, dtype=np.float32) / GRID_STEP_PX)[None, :].repeat(height_px, axis=0)
    py = (np.arange(height_px, dtype=np.float32) / GRID_STEP_PX)[:, None].repeat(width_px, axis=1)
    fine = cv2.remap(shift, px, py, cv2.INTER_LINEAR)
    map_x = fine[..., 0] + np.arange(width_px, dtype=np.float32)[None, :]
    map_y = fine[..., 1] + np.arange(height_px, dtype=np.float32)[:, None]
    return map_x, map_y
