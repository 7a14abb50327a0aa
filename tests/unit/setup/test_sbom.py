"""What is packed is listed, with its licences."""

import io
import json
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.unit.setup.scripts import load_script

sbom = load_script("sbom")


def wheel(folder: Path) -> None:
    with zipfile.ZipFile(folder / "A_b-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("a_b/license.py", "not a licence")
        archive.writestr("A_b-1.0.dist-info/METADATA", "Name: A_b\nVersion: 1.0\nLicense: MIT\n")
        archive.writestr("A_b-1.0.dist-info/licenses/COPYING", "Do what you like.")


def source(folder: Path) -> None:
    with tarfile.open(folder / "c-2+x.tar.gz", "w:gz") as archive:
        said = "Name: c\nVersion: 2+x\nClassifier: License :: OSI Approved :: BSD License\n"
        for name, text in (("c-2/PKG-INFO", said), ("c-2/LICENSE.txt", "As is.")):
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))


def debian(folder: Path) -> None:
    tree = folder / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    control = "Package: d\nVersion: 1:3\nArchitecture: all\nMaintainer: T <t@example.org>\n"
    (tree / "DEBIAN/control").write_text(f"{control}Description: x\n")
    (tree / "usr/share/doc/d").mkdir(parents=True)
    (tree / "usr/share/doc/d/copyright").write_text("Files: *\nLicense: Zlib\n words\n")
    command = ["dpkg-deb", "--root-owner-group", "--build", str(tree), str(folder / "d.deb")]
    subprocess.run(command, check=True, capture_output=True)
    (folder / "Packages").write_text(f"{control}Filename: ./d.deb\nSHA256: {'ab' * 32}\n\n")


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg-deb")
def test_every_package_is_listed_with_its_licence_and_its_text(tmp_path: Path) -> None:
    for make in (wheel, source, debian):
        make(tmp_path)
    assert sbom.main(["files", str(tmp_path), "--out", str(tmp_path)]) == 0
    listed = json.loads((tmp_path / "sbom.cdx.json").read_text())
    assert (listed["bomFormat"], listed["specVersion"]) == ("CycloneDX", "1.6")
    assert {
        each["purl"]: each["licenses"][0]["license"]["name"] for each in listed["components"]
    } == {
        "pkg:pypi/a-b@1.0": "MIT",
        "pkg:pypi/c@2%2Bx": "BSD License",
        "pkg:deb/debian/d@1%3A3": "Zlib",
    }
    texts = (tmp_path / "NOTICES.txt").read_text()
    assert all(text in texts for text in ("Do what you like.", "As is.", "License: Zlib"))
    assert "not a licence" not in texts
    before = (tmp_path / "sbom.cdx.json").read_bytes()
    sbom.main(["files", str(tmp_path), "--out", str(tmp_path)])
    assert (tmp_path / "sbom.cdx.json").read_bytes() == before


def test_an_environment_lists_what_is_installed_in_it(tmp_path: Path) -> None:
    assert sbom.main(["environment", "--out", str(tmp_path)]) == 0
    listed = json.loads((tmp_path / "sbom.cdx.json").read_text())
    numpy = [each for each in listed["components"] if each["name"] == "numpy"]
    assert len(numpy) == 1
    assert "BSD" in numpy[0]["licenses"][0]["license"]["name"]
    assert "numpy" in (tmp_path / "NOTICES.txt").read_text()
