"""What the nets are given on both machines: made once, from a seed, and read from one file by both."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

SEED: Final = 20_240_607
SIDE_PX: Final = 48
RATE_HZ: Final = 16_000
SAMPLES: Final = 48_000

Pictures = NDArray[np.int8]


def pictures() -> Pictures:
    """Int8 [32, 48, 48, 1]: noise, the extremes, slopes, and drawn faces in all lights."""
    rng = np.random.default_rng(SEED)
    noise = rng.integers(-128, 128, (6, SIDE_PX, SIDE_PX), dtype=np.int8)
    flat = np.stack([np.full((SIDE_PX, SIDE_PX), level, np.int8) for level in (-128, 0, 127)])
    slope = np.linspace(-128, 127, SIDE_PX).astype(np.int8)
    slopes = np.stack([np.tile(slope, (SIDE_PX, 1)), np.tile(slope[:, None], (1, SIDE_PX))])
    faces = np.stack([_face(rng) for _ in range(21)])
    return np.concatenate([noise, flat, slopes, faces])[..., None]


def _face(rng: np.random.Generator) -> NDArray[np.int8]:
    """Int8 [48, 48]: an oval with eyes, brows and a mouth, lit from one side, with camera noise."""
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX].astype(np.float64)
    skin, shade, background = rng.uniform(90, 210), rng.uniform(-1.5, 1.5, 2), rng.uniform(0, 255)
    center_x, center_y = 23.5 + rng.uniform(-2, 2, 2)
    grey = np.full((SIDE_PX, SIDE_PX), background)
    oval = _spot(x, y, (center_x, center_y), (17, 23), 6)
    grey += oval * (skin + shade[0] * (x - center_x) + shade[1] * (y - center_y) - grey)
    for eye_x in (14.6, 32.4):
        grey -= _spot(x, y, (eye_x, 18.9), (3.5, rng.uniform(0.8, 2.5)), 2) * rng.uniform(40, 90)
        grey -= _spot(x, y, (eye_x, 13 + rng.uniform(-2, 2)), (4.5, 1.2), 2) * rng.uniform(20, 80)
    bend = rng.uniform(-0.06, 0.06)
    mouth_y = 37.3 + bend * ((x - center_x) ** 2 - 20)
    grey -= _spot(x, y, (center_x, mouth_y), (8, rng.uniform(1, 5)), 2) * rng.uniform(40, 90)
    grey += rng.normal(0, rng.uniform(0, 8), grey.shape)
    return np.asarray(np.clip(np.rint(grey), 0, 255) - 128, np.int8)


def _spot(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    center: tuple[float, float | NDArray[np.float64]],
    radius: tuple[float, float],
    hardness: float,
) -> NDArray[np.float64]:
    """1 within the ellipse, 0 outside; the harder, the sharper its edge."""
    distance = np.hypot((x - center[0]) / radius[0], (y - center[1]) / radius[1])
    spot: NDArray[np.float64] = 1 / (1 + distance ** (2 * hardness))
    return spot


def sounds() -> NDArray[np.float32]:
    """Float32 [20, 48000], 3 s each: silence, hiss, a click, a tone, and voices of many pitches."""
    rng = np.random.default_rng(SEED + 1)
    t_s = np.arange(SAMPLES) / RATE_HZ
    click = np.zeros(SAMPLES)
    click[SAMPLES // 2] = 1.0
    plain = [np.zeros(SAMPLES), rng.normal(0, 0.05, SAMPLES), click, np.sin(2 * np.pi * 440 * t_s)]
    voices = [_voice(rng, t_s) for _ in range(16)]
    return np.asarray(np.stack([*plain, *voices]), np.float32)


def _voice(rng: np.random.Generator, t_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Syllables: harmonics of a gliding pitch under two formants, with pauses and room noise."""
    pitch_hz = rng.uniform(80, 320) * 2 ** (rng.uniform(-0.5, 0.5) * np.sin(2 * np.pi * t_s / 3))
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    formants_hz = rng.uniform(300, 900), rng.uniform(1000, 2600)
    sound = np.zeros_like(t_s)
    for harmonic in range(1, 20):
        hertz = harmonic * float(pitch_hz.mean())
        strength = sum(1 / (1 + ((hertz - formant) / 150) ** 2) for formant in formants_hz)
        sound += (strength + 0.02) / harmonic * np.sin(harmonic * phase)
    syllables = np.clip(np.sin(2 * np.pi * rng.uniform(1.5, 5) * t_s + rng.uniform(0, 6)), 0, 1)
    hiss = rng.normal(0, 10 ** rng.uniform(-4, -1.5), len(t_s))
    voiced: NDArray[np.float64] = sound * syllables * rng.uniform(0.02, 0.6) + hiss
    return voiced
