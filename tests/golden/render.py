"""Renders the golden pictures anew, after a wanted change of the faces.

Run `python tests/golden/render.py` in the checkout, look at every picture, commit them.
"""

import sys
from dataclasses import replace
from pathlib import Path

from PIL import Image

FOLDER = Path(__file__).parent


def pictures() -> dict[str, Image.Image]:
    """Every golden picture by name, as the code draws it now."""
    from edge.diagnostics.trying.display import frame
    from edge.face.draw import draw
    from edge.face.pose import POSES

    drawn = {}
    for shown, pose in POSES.items():
        drawn[shown] = draw(replace(pose, extras=replace(pose.extras, phase=0.45)))
    neutral = POSES["neutral"]
    both = replace(neutral.extras, camera_lost=1.0, microphone_lost=1.0)
    drawn["lost_senses"] = draw(replace(neutral, extras=both))
    drawn["flat_happy"] = draw(POSES["happy"], (128, 32))
    drawn["square_happy"] = draw(POSES["happy"], (128, 128), "RGB")
    drawn["frame"] = frame((128, 64), "1")
    drawn["frame_tall"] = frame((64, 128), "1")
    drawn["frame_color"] = frame((96, 64), "RGB")
    return drawn


if __name__ == "__main__":
    sys.path.insert(0, str(FOLDER.parents[1]))
    for name, picture in pictures().items():
        picture.save(FOLDER / f"{name}.png", optimize=True)
