import subprocess
import sys

from edge.places import HOUSE

SCRIPT = """
import sys
from edge.perception.mediapipe_tasks import import_vision
vision, base_options, image = import_vision()
assert vision.FaceDetector and base_options and image
assert not [name for name in sys.modules if name.split(".")[0] in ("matplotlib", "sounddevice")]
import matplotlib.pyplot
assert matplotlib.pyplot.figure
"""


def test_plotting_is_not_loaded_with_mediapipe_and_can_be_afterwards() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
