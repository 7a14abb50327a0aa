"""Both runtimes on the face net: LiteRT, and tflite-runtime, which came before it.

tflite-runtime needs numpy 1, so it runs in a process of its own, from the folder that
`./setup.sh test` makes where there is a tflite-runtime for this Python (3.10 and 3.11).
"""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.perception.interpreter import Model

ROOT = Path(__file__).resolve().parents[2]
FACE_NET = ROOT / "models_tflite" / "face_int8.tflite"
FOLDER = ROOT / "var" / "tflite_runtime"
OLD_RUNTIME = "tflite_runtime.interpreter"
CROPS = 20

READ = """
import sys
from pathlib import Path
import numpy as np
from edge.perception.interpreter import Model

model = Model(Path(sys.argv[1]), runtime="tflite_runtime.interpreter")
crops = np.frombuffer(sys.stdin.buffer.read(), np.int8).reshape(-1, *model.input.shape)
output = model.output((1, 7))
logits = np.concatenate([model.run(crop, output) for crop in crops])
print(np.__version__, file=sys.stderr)
sys.stdout.buffer.write(output.quantize(logits).tobytes())
"""

REFUSED = """
import sys
from pathlib import Path
from edge.errors import ModelError
from edge.perception.interpreter import Model

try:
    Model(Path(sys.argv[1]), runtime="tflite_runtime.interpreter")
except ModelError as error:
    print(error)
"""


def _made_for_this_python() -> bool:
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    return (FOLDER / "numpy" / "core" / f"_multiarray_umath{suffix}").is_file()


needs_old_runtime = pytest.mark.skipif(
    not _made_for_this_python(),
    reason="no tflite-runtime for this Python in var/tflite_runtime; ./setup.sh test makes it "
    "for 3.10 and 3.11",
)
needs_numpy_2 = pytest.mark.skipif(
    np.__version__.startswith("1."), reason="under numpy 1 tflite-runtime is right"
)


def _crops() -> NDArray[np.int8]:
    """Shape [CROPS, 1, 48, 48, 1]: patches of light and shade, from coarse to fine, and noise."""
    random = np.random.default_rng(0)
    made = []
    for number in range(CROPS):
        patches = random.uniform(-1, 1, (3 + number, 3 + number))
        rows = np.linspace(0, len(patches) - 1, 48).round().astype(int)
        light = 90 * patches[np.ix_(rows, rows)] + random.normal(0, 12, (48, 48))
        made.append(np.clip(np.rint(light), -128, 127).astype(np.int8))
    return np.stack(made)[:, None, :, :, None]


def _python(script: str, pythonpath: Path, sent: bytes) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-c", script, str(FACE_NET)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(pythonpath)},
        input=sent,
        capture_output=True,
        timeout=60,
        check=False,
    )


@needs_old_runtime
def test_both_runtimes_see_the_same_in_a_crop() -> None:
    crops = _crops()
    model = Model(FACE_NET, runtime="ai_edge_litert.interpreter")
    output = model.output((1, 7))
    logits = np.concatenate([model.run(crop, output) for crop in crops])
    new = output.quantize(logits).astype(int)
    assert len(set(new.argmax(axis=1))) >= 3, "crops that all look alike would prove little"

    done = _python(READ, FOLDER, crops.tobytes())
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr.decode().splitlines()[-1].startswith("1."), "not the numpy of the folder"
    old = np.frombuffer(done.stdout, np.int8).reshape(CROPS, 7).astype(int)

    steps = np.abs(new - old)
    first, second = np.sort(new, axis=1)[:, :-3:-1].T
    clear = first - second > 4
    others = new.argmax(axis=1) != old.argmax(axis=1)
    print(
        f"most different by {steps.max()} of 256 steps, another class for {others.sum()} of {CROPS}"
    )
    # Each of some twenty layers may round by half a step in the other direction.
    assert steps.max() <= 4
    assert steps.mean() < 1
    # Noise looks like nothing; where two classes are all but level, either may lead.
    assert clear.sum() >= CROPS / 2
    assert not others[clear].any()


@needs_old_runtime
@needs_numpy_2
def test_real_tflite_runtime_under_numpy_2_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "tflite_runtime").symlink_to(FOLDER / "tflite_runtime")  # and not its numpy
    done = _python(REFUSED, tmp_path, b"")
    told = done.stdout.decode()
    assert told.startswith("tflite-runtime was built for numpy 1 and cannot run under numpy 2.")
    assert "-m pip install ai-edge-litert" in told
    assert done.stderr == b""  # numpy would write a page and a traceback there


def _runtime_that_fails(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """A tflite-runtime that fails as the real one does under numpy 2."""

    def make(**_: object) -> object:
        raise SystemError("CreateWrapperFromFile returned a result") from ImportError("multiarray")

    package, module = ModuleType("tflite_runtime"), ModuleType(OLD_RUNTIME)
    package.__version__ = version  # type: ignore[attr-defined]
    module.Interpreter = make  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tflite_runtime", package)
    monkeypatch.setitem(sys.modules, OLD_RUNTIME, module)


@pytest.mark.parametrize("version", ["2.14.0", "2.17.1", "unknown"])
def test_a_runtime_built_for_another_numpy_is_not_blamed_on_the_model(
    monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    _runtime_that_fails(monkeypatch, version)
    monkeypatch.setattr(np, "__version__", "2.3.1")
    with pytest.raises(ModelError, match=r"cannot run under numpy 2\.3\.1; install"):
        Model(FACE_NET, runtime=OLD_RUNTIME)


def test_under_numpy_1_a_broken_runtime_is_called_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    _runtime_that_fails(monkeypatch, "2.14.0")
    monkeypatch.setattr(np, "__version__", "1.26.4")
    with pytest.raises(ModelError, match=r"tflite-runtime cannot be loaded .*; install it with"):
        Model(FACE_NET, runtime=OLD_RUNTIME)
