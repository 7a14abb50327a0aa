import json
import shutil
from pathlib import Path

import pytest

from convert.publish import manifest_of, publish
from edge.config.paths import MODELS
from edge.errors import ModelError
from edge.perception.manifest import check_hash, load_manifest


def published(out: Path, card: str = "card") -> None:
    face = load_manifest(MODELS).face.model_copy(update={"temperature": 2.5})
    publish("face", MODELS / face.file, MODELS / face.recipe, face, card, out)


def test_new_folder_gets_the_other_net_too(tmp_path: Path) -> None:
    published(tmp_path / "new")
    manifest = load_manifest(tmp_path / "new")
    assert manifest.face.temperature == 2.5
    assert manifest.voice == load_manifest(MODELS).voice
    for entry in (manifest.face, manifest.voice):
        check_hash(tmp_path / "new" / entry.file, entry.sha256)
        assert (tmp_path / "new" / entry.recipe).read_bytes() == (
            MODELS / entry.recipe
        ).read_bytes()
    assert (tmp_path / "new" / "FACE_CARD.md").read_text() == "card"
    assert not list((tmp_path / "new").glob("*.part"))


def test_folder_that_has_a_manifest_keeps_its_other_net(tmp_path: Path) -> None:
    shutil.copy(MODELS / "manifest.json", tmp_path)
    content = json.loads((tmp_path / "manifest.json").read_text())
    content["voice"]["temperature"] = 3.5
    (tmp_path / "manifest.json").write_text(json.dumps(content))
    published(tmp_path)
    assert load_manifest(tmp_path).voice.temperature == 3.5
    assert not (tmp_path / "voice_int8.tflite").exists()


def test_publishing_where_the_models_are_changes_no_more_than_it_should(tmp_path: Path) -> None:
    shutil.copytree(MODELS, tmp_path / "models", ignore=shutil.ignore_patterns("fetched"))
    before = (tmp_path / "models" / "manifest.json").read_text().splitlines()
    published(tmp_path / "models")
    after = (tmp_path / "models" / "manifest.json").read_text().splitlines()
    assert [now for was, now in zip(before, after, strict=True) if was != now] == [
        '    "temperature": 2.5,'
    ]


def test_damaged_manifest_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(ModelError, match=r"manifest\.json"):
        manifest_of(tmp_path)
    with pytest.raises(ModelError, match=r"manifest\.json"):
        published(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["manifest.json"]
