import subprocess
import sys

import pytest

from edge.config.paths import REPO_ROOT
from edge.errors import ModelError
from edge.perception import mediapipe_tasks
from edge.perception.mediapipe_tasks import check_processor

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
    command = [sys.executable, "-c", SCRIPT]
    ended = subprocess.run(command, cwd=REPO_ROOT, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr


LSE, PI_4 = 1 << 8, 0x887  # fp asimd evtstrm crc32 cpuid


def test_a_processor_that_mediapipe_would_crash_on_is_refused_and_others_are_not() -> None:
    with pytest.raises(ModelError, match="does not run on this processor"):
        check_processor("aarch64", PI_4)
    check_processor("aarch64", PI_4 | LSE)
    check_processor("x86_64", 0)


def test_this_processor_is_asked_before_mediapipe_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> None:
        raise ModelError("too old")

    monkeypatch.setattr(mediapipe_tasks, "check_processor", refuse)
    with pytest.raises(ModelError, match="too old"):
        mediapipe_tasks.import_vision()
