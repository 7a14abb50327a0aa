import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge.build import appliance
from edge.calibration.prior import Baseline, Calibration, baseline_of, fingerprint
from edge.calibration.storage import (
    check_writable,
    fitting,
    forget_calibration,
    load_calibration,
    save_calibration,
)
from edge.config import paths
from edge.config.paths import MODELS, calibration_file
from edge.config.schema import Settings
from edge.emotions import EMOTIONS
from edge.errors import SettingsError
from edge.fusion import Fusion
from edge.perception.manifest import Manifest, load_manifest
from edge.runtime.components import Components
from tests.fakes.clips import make_clip

LOOKS_SAD = np.array([0.06, 0.03, 0.06, 0.06, 0.4, 0.06, 0.33])
SAD = EMOTIONS.index("sad")


def rest(model: str) -> Baseline:
    return baseline_of(LOOKS_SAD[None], np.array([4.5]), model)


@pytest.fixture
def manifest() -> Manifest:
    return load_manifest(MODELS)


@pytest.fixture
def known(manifest: Manifest) -> Calibration:
    return Calibration(rest(fingerprint(manifest.face)), rest(fingerprint(manifest.voice)))


def settings(file: Path | str) -> Settings:
    return Settings.model_validate({"calibration": {"file": str(file)}})


def test_comes_back_as_it_was_stored(tmp_path: Path, known: Calibration) -> None:
    file = tmp_path / "new" / "folder" / "me.json"
    save_calibration(known, file)
    back = load_calibration(file)
    assert back.face is not None and back.voice is not None
    np.testing.assert_allclose(back.face.reading, LOOKS_SAD, atol=1e-3)
    assert (back.face.seconds, back.voice) == (4.5, back.face.__class__(**vars(back.voice)))
    save_calibration(Calibration(voice=known.voice), file)
    assert load_calibration(file).face is None


def test_only_its_owner_may_read_it_and_nothing_else_is_left(
    tmp_path: Path, known: Calibration
) -> None:
    before = os.umask(0)
    try:
        save_calibration(known, tmp_path / "me.json")
    finally:
        os.umask(before)
    assert [file.name for file in tmp_path.iterdir()] == ["me.json"]
    assert stat.S_IMODE((tmp_path / "me.json").stat().st_mode) == 0o600


def test_holds_a_handful_of_numbers(tmp_path: Path, known: Calibration) -> None:
    save_calibration(known, tmp_path / "me.json")
    kept = json.loads((tmp_path / "me.json").read_text())
    numbers = [*kept["face"]["mean_log"], kept["face"]["seconds"]]
    numbers += [*kept["voice"]["mean_log"], kept["voice"]["seconds"]]
    assert len(numbers) == 16
    assert set(kept) == {"mien_calibration", "emotions", "face", "voice"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_root_gives_the_file_to_the_owner_of_the_folder(tmp_path: Path, known: Calibration) -> None:
    state = tmp_path / "mien"
    state.mkdir()
    os.chown(state, 12345, 12345)
    save_calibration(known, state / "calibration.json")
    assert (state / "calibration.json").stat().st_uid == 12345


def test_old_calibration_survives_a_write_that_fails(
    tmp_path: Path, known: Calibration, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "me.json"
    save_calibration(known, file)
    before = file.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SettingsError, match=r"No space left on device.*\[calibration\] file"):
        save_calibration(Calibration(), file)
    assert file.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_no_file_is_nothing_known(tmp_path: Path) -> None:
    assert load_calibration(tmp_path / "none.json") == Calibration()
    assert not forget_calibration(tmp_path / "none.json")


def test_forgets(tmp_path: Path, known: Calibration) -> None:
    save_calibration(known, tmp_path / "me.json")
    assert forget_calibration(tmp_path / "me.json")
    assert not (tmp_path / "me.json").exists()


def test_what_cannot_be_written_is_one_sentence(tmp_path: Path, known: Calibration) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="name another place"):
        save_calibration(known, tmp_path / "file" / "me.json")
    with pytest.raises(SettingsError, match="name another place"):
        check_writable(tmp_path / "file" / "me.json")
    check_writable(tmp_path / "new" / "folder" / "me.json")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def damage(good: str) -> list[str]:
    kept = json.loads(good)
    short = {**kept, "face": {**kept["face"], "mean_log": [-1.0] * 6}}
    positive = {**kept, "face": {**kept["face"], "mean_log": [1.0] * 7}}
    other_order = {**kept, "emotions": list(reversed(EMOTIONS))}
    nan = good.replace("4.5", "NaN", 1)
    return ["", good[:100], nan, "\x00" * 50] + [
        json.dumps(each) for each in (short, positive, other_order)
    ]


def test_damaged_files_are_refused_in_one_sentence_and_may_be_replaced(
    tmp_path: Path, known: Calibration
) -> None:
    file = tmp_path / "me.json"
    save_calibration(known, file)
    for text in damage(file.read_text()):
        file.write_text(text)
        with pytest.raises(
            SettingsError, match="no calibration of this Mien; run `mien calibrate`"
        ):
            load_calibration(file)
        check_writable(file)
        save_calibration(known, file)


@pytest.mark.parametrize("text", ["{}", "[1]", "not json", "9" * 100_000, "[camera]\n"])
def test_a_file_of_somebody_else_is_never_replaced_or_deleted(
    tmp_path: Path, known: Calibration, text: str
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text(text)
    actions: list[Callable[[], object]] = [
        lambda: check_writable(file),
        lambda: save_calibration(known, file),
        lambda: forget_calibration(file),
    ]
    for act in actions:
        with pytest.raises(SettingsError, match="is no calibration of Mien, and is neither"):
            act()
    assert file.read_text() == text
    for act in actions:
        file.unlink()
        os.mkfifo(file)
        with pytest.raises(SettingsError, match="it is a pipe, not a file"):
            act()
        assert file.is_fifo()


def test_a_pipe_or_a_folder_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(SettingsError, match="not a file"):
            load_calibration(path)


def test_part_made_with_another_model_is_refused_and_the_other_kept(
    manifest: Manifest, known: Calibration
) -> None:
    assert fitting(known, manifest) == (known, "")
    retrained = manifest.model_copy(
        update={"voice": manifest.voice.model_copy(update={"sha256": "0" * 64})}
    )
    left, trouble = fitting(known, retrained)
    assert left == Calibration(face=known.face)
    assert "of the voice was made with another model" in trouble
    assert fitting(Calibration(), retrained) == (Calibration(), "")


def test_run_uses_the_calibration_and_says_so(
    tmp_path: Path, manifest: Manifest, known: Calibration
) -> None:
    save_calibration(known, tmp_path / "me.json")
    told: list[str] = []
    assert appliance.known_person(settings(tmp_path / "me.json"), manifest, told.append)
    assert told == [f"Calibrated for one person's face and voice ({tmp_path / 'me.json'})."]
    components = appliance.build_components(settings(tmp_path / "me.json"), None, False)
    assert (
        fusion_of(components).options.face_class_prior[SAD] > manifest.face.class_prior[SAD] + 0.05
    )


def fusion_of(components: Components) -> Fusion:
    fusion = components.fusion()
    assert isinstance(fusion, Fusion)
    return fusion


@pytest.mark.parametrize("text", ["", '{"mien_calibration": 1}'])
def test_run_goes_on_without_a_bad_file_and_says_so_once(
    text: str, tmp_path: Path, manifest: Manifest
) -> None:
    (tmp_path / "me.json").write_text(text)
    told: list[str] = []
    assert not appliance.known_person(settings(tmp_path / "me.json"), manifest, told.append)
    assert len(told) == 1
    assert "no calibration of this Mien" in told[0]


def test_run_without_a_calibration_says_nothing(tmp_path: Path, manifest: Manifest) -> None:
    told: list[str] = []
    assert not appliance.known_person(settings(tmp_path / "me.json"), manifest, told.append)
    assert not appliance.known_person(settings("none"), manifest, told.append)
    assert told == []


def test_demo_clip_is_not_taken_for_the_person_and_any_other_is(
    tmp_path: Path, manifest: Manifest, known: Calibration, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("av")
    save_calibration(known, tmp_path / "me.json")
    clip = make_clip(tmp_path / "a.mp4", levels=[100] * 5, sound=np.zeros(22_050))
    of_anybody = np.array(manifest.face.class_prior)
    for demo, calibrated in ((clip, False), (tmp_path / "b.mp4", True)):
        monkeypatch.setattr(appliance, "DEMO_CLIP", demo)
        components = appliance.build_components(settings(tmp_path / "me.json"), clip, False)
        prior = fusion_of(components).options.face_class_prior
        assert bool(abs(prior - of_anybody).max() > 1e-3) is calibrated
        components.close()


def homeless() -> Path:
    raise RuntimeError("Could not determine home directory.")


def test_lies_in_the_state_folder_of_service_or_user_or_without_a_home_in_the_systems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tmp_path / "system"
    monkeypatch.setattr(paths, "SYSTEM_STATE", system)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "own"))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    assert calibration_file() == tmp_path / "own" / "mien" / "calibration.json"
    system.mkdir()
    assert calibration_file() == system / "calibration.json"
    monkeypatch.setenv("STATE_DIRECTORY", "/run/one:/run/two")
    assert calibration_file() == Path("/run/one/calibration.json")
    assert calibration_file("none") is None
    assert calibration_file("/etc/me.json") == Path("/etc/me.json")
    for name in ("XDG_STATE_HOME", "STATE_DIRECTORY"):
        monkeypatch.delenv(name)
    system.rmdir()
    monkeypatch.setattr(Path, "home", homeless)
    assert calibration_file() == system / "calibration.json"
