"""The examples of docs/extending.md, installed as a package of their own beside Mien."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge.config.paths import DEMO_CLIP, REPO_ROOT
from edge.demo.script import SCENES
from edge.emotions import EMOTIONS
from edge.sensors.clip_decoder import pictures, probe_clip, to_rgb
from tests.fakes.process import finish, needs_demo, start

PAGE = REPO_ROOT / "docs" / "extending.md"
MOST_LINES = 60


def examples() -> dict[str, str]:
    """The files of the page by name: blocks that begin with a comment that names one."""
    blocks = re.findall(
        r"```(?:python|toml)\n# (\S+\.(?:py|toml))\n(.*?)```", PAGE.read_text(), re.S
    )
    return dict(blocks)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed package."""
    pytest.importorskip("setuptools", "77", reason="./setup.sh test brings what builds a package")
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("target")
    for name, text in examples().items():
        (source / name).write_text(text)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", "--target", target, source], check=True)
    assert next(target.glob("mien_studio-1.0.dist-info/entry_points.txt")).is_file()
    return target


def mien(studio: Path, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
    path = f"{REPO_ROOT}{os.pathsep}{studio}"
    return start(*arguments, PYTHONPATH=path, **environment)


def test_an_output_and_a_camera_take_fewer_than_sixty_lines_each() -> None:
    lines = {name: len(text.splitlines()) + 1 for name, text in examples().items()}
    assert lines.keys() == {"mien_sign.py", "mien_folder.py", "pyproject.toml"}
    assert max(lines.values()) < MOST_LINES, lines


def test_their_settings_are_explained_and_a_slip_is_refused(studio: Path, tmp_path: Path) -> None:
    default = finish(mien(studio, "config", "default"))
    assert "\n# A text file with the shown emotion.\n[sign]\n" in default.out
    assert "\n[folder]\n" in default.out
    file = tmp_path / "my.toml"
    file.write_text("[sign]\npaht = 1\n")
    checked = finish(mien(studio, "config", "check", str(file)))
    assert checked.code == 2
    assert checked.err.endswith('there is no setting "paht" in [sign]; did you mean "path"?\n')


@needs_demo
def test_camera_delivers_and_output_shows_moods_in_a_real_run(studio: Path, tmp_path: Path) -> None:
    import cv2

    happy = next(scene for scene in SCENES if scene.name == "happy")
    frames = (it for at_s, it in pictures(probe_clip(DEMO_CLIP)) if at_s > happy.start_s + 2)
    picture = cv2.cvtColor(to_rgb(next(frames)), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(tmp_path / "happy.jpg"), picture)
    sign = tmp_path / "sign.txt"
    shown: set[str] = set()
    process = mien(
        studio, "run", "--camera", "folder", "--no-voice", "--display", "none",
        MIEN_FOLDER__PATH=str(tmp_path), MIEN_FOLDER__RATE_HZ="10", MIEN_SIGN__PATH=str(sign),
    )  # fmt: skip
    end_s = time.monotonic() + 60
    while time.monotonic() < end_s and process.poll() is None and not shown & {*EMOTIONS}:
        time.sleep(0.1)
        shown |= {sign.read_text().strip()} if sign.exists() else set()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert "happy" in shown, said
    assert process.returncode == 0, said
    assert not sign.exists()


def test_a_camera_is_tried_at_its_own_rate(studio: Path, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (320, 240), (120, 120, 120)).save(tmp_path / "grey.jpg")
    tried = finish(
        mien(
            studio, "try", "camera", MIEN_CAMERA__SOURCE="folder",
            MIEN_FOLDER__PATH=str(tmp_path), MIEN_FOLDER__RATE_HZ="2",
        )
    )  # fmt: skip
    assert "(2 were asked for)" in " ".join(f"{tried.out} {tried.err}".split())


def test_a_broken_package_costs_one_sentence(studio: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    subprocess.run(["cp", "-r", studio, broken], check=True)
    (broken / "mien_sign.py").write_text("import no_such_library\n")
    (tmp_path / "my.toml").write_text('[sign]\npath = "sign.txt"\n')
    code, out, said = finish(mien(broken, "config", "check", str(tmp_path / "my.toml")))
    assert code == 0
    assert out.startswith("No mistakes in ")
    assert said.count("\n") == 1
    assert "The output sign of the package mien-studio 1.0 is left out (ModuleNotFound" in said
