"""The broken releases are broken, and nothing else is."""

import hashlib
import shutil
from pathlib import Path

import pytest

from edge.config.paths import REPO_ROOT
from tests.acceptance.upgrades.broken_bundles import BREAKS, make

CHANGED = (
    *("edge/__init__.py", "edge/perception/face_net.py", "edge/build/appliance.py"),
    *("edge/process/systemd.py", "systemd/mien.service", "systemd/60-mien.rules"),
)


def listed(bundle: Path) -> dict[str, str]:
    lines = (bundle / "SHA256SUMS").read_text().splitlines()
    return {name: digest for digest, name in (line.split("  ./") for line in lines)}


def actual(bundle: Path) -> dict[str, str]:
    return {
        str(file.relative_to(bundle)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in bundle.rglob("*")
        if file.is_file() and file.name != "SHA256SUMS"
    }


@pytest.mark.skipif(not (REPO_ROOT / "systemd").is_dir(), reason="needs the checkout")
def test_each_is_broken_in_its_own_way_and_listed_as_it_is(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    for name in CHANGED:
        (whole / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPO_ROOT / name, whole / name)
    (whole / "models_tflite").mkdir()
    (whole / "models_tflite/face_int8.tflite").write_bytes(b"\1" * 6000)
    (whole / "wheels").mkdir()
    for name in ("soxr-1-py3.whl", "typer-2-py3.whl"):
        (whole / "wheels" / name).write_text(name)
    sums = [f"{digest}  ./{name}\n" for name, digest in actual(whole).items()]
    (whole / "SHA256SUMS").write_text("".join(sums))
    before = actual(whole)

    made = dict(zip((each.name for each in BREAKS), make(whole, tmp_path / "broken"), strict=True))

    assert len(made) == 10
    assert actual(whole) == before
    seen = set()
    for name, bundle in made.items():
        missing = set(actual(bundle)) - set(listed(bundle))
        assert missing == ({"wheels/soxr-1-py3.whl"} if name == "unlisted wheel" else set())
        assert listed(bundle).items() <= actual(bundle).items()
        changed = {file for file, digest in actual(bundle).items() if before[file] != digest}
        assert changed >= {"edge/__init__.py", "systemd/mien.service"}
        seen.add(tuple(sorted(listed(bundle).items())))
    assert len(seen) == 10
