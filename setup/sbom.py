"""What is packed or installed, for whoever has to account for it: a CycloneDX list and all licences.

    python setup/sbom.py files FOLDER... --out FOLDER      of wheels, sources and Debian's index in them
    python setup/sbom.py environment --out FOLDER          of the environment of this Python

writes `sbom.cdx.json` (CycloneDX 1.6) and `NOTICES.txt`. Needs the standard library, and dpkg-deb for
packages of Debian; the same packages give the same bytes.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import uuid
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import quote

REPO_ROOT: Final = Path(__file__).resolve().parents[1]
SBOM: Final = "sbom.cdx.json"
NOTICES: Final = "NOTICES.txt"
LARGEST_BYTES: Final = 1_000_000
"""Of the text of a licence."""
_LICENCE: Final = re.compile(r"(licen[cs]e|copying|notice|authors|copyright)", re.IGNORECASE)
_NO_TEXT: Final = {".py", ".pyc", ".so", ".json"}


@dataclass(frozen=True)
class Package:
    """One package, of Python or of Debian."""

    name: str
    version: str
    kind: str
    """As package URLs call it: "pypi" or "deb"."""
    licence: str = ""
    """As the package itself says; "" if it does not."""
    sha256: str = ""
    """Of its file."""
    texts: tuple[tuple[str, str], ...] = ()
    """Name and content of each licence file."""

    @property
    def purl(self) -> str:
        """Its package URL."""
        if self.kind == "deb":
            return f"pkg:deb/debian/{quote(self.name)}@{quote(self.version, safe='')}"
        name = re.sub(r"[-_.]+", "-", self.name).lower()
        return f"pkg:pypi/{name}@{quote(self.version, safe='')}"

    def component(self) -> dict[str, Any]:
        """It as CycloneDX wants it."""
        made: dict[str, Any] = {
            "type": "library",
            "bom-ref": self.purl,
            "name": self.name,
            "version": self.version,
            "purl": self.purl,
        }
        if self.sha256:
            made["hashes"] = [{"alg": "SHA-256", "content": self.sha256}]
        if self.licence:
            made["licenses"] = [{"license": {"name": self.licence}}]
        return made


def licence_of(about: Message) -> str:
    """What the metadata of a Python package says of its licence, in a line."""
    stated = str(about.get("License-Expression") or about.get("License") or "").strip()
    if stated and "\n" not in stated and len(stated) < 100 and stated.upper() != "UNKNOWN":
        return stated
    classes = (str(each) for each in about.get_all("Classifier") or [])
    named = [each.rpartition(" :: ")[2] for each in classes if each.startswith("License ::")]
    return " or ".join(named) or stated.partition("\n")[0][:100]


def is_licence(path: str) -> bool:
    """Whether the file *path* of a package holds its licence, or a part of it."""
    file = PurePosixPath(path)
    if file.suffix in _NO_TEXT:
        return False
    in_metadata = any(part.endswith(".dist-info") for part in file.parts[:-1])
    return (in_metadata and "licenses" in file.parts) or bool(_LICENCE.match(file.name))


def of_wheel(file: Path) -> Package:
    """The package in a wheel."""
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        about = next(name for name in names if name.endswith(".dist-info/METADATA"))
        texts = [
            (name, archive.read(name).decode("utf-8", "replace"))
            for name in names
            if is_licence(name) and archive.getinfo(name).file_size < LARGEST_BYTES
        ]
        return _package(archive.read(about), texts, _sha256(file))


def of_source(file: Path) -> Package:
    """The package in a source archive."""
    texts, about = [], b""
    with tarfile.open(file) as archive:
        for member in archive:
            depth = member.name.count("/")
            wanted = depth == 1 and (member.name.endswith("/PKG-INFO") or is_licence(member.name))
            stream = archive.extractfile(member) if wanted and member.isfile() else None
            if stream is None or member.size >= LARGEST_BYTES:
                continue
            content = stream.read()
            if member.name.endswith("/PKG-INFO"):
                about = content
            else:
                texts.append((member.name, content.decode("utf-8", "replace")))
    return _package(about, texts, _sha256(file))


def _package(about: bytes, texts: Iterable[tuple[str, str]], sha256: str) -> Package:
    parsed = HeaderParser().parsestr(about.decode("utf-8", "replace"))
    return Package(
        str(parsed["Name"]),
        str(parsed["Version"]),
        "pypi",
        licence_of(parsed),
        sha256,
        tuple(texts),
    )


def of_debian(index: Path) -> Iterator[Package]:
    """The packages in an index of a Debian repository, whose files lie beside it."""
    for paragraph in index.read_text(encoding="utf-8").split("\n\n"):
        about = HeaderParser().parsestr(paragraph)
        if not about["Package"]:
            continue
        text = copyright_of(index.parent / str(about["Filename"]))
        names = sorted(set(re.findall(r"^License: *([^\s].*)$", text, re.MULTILINE)))
        yield Package(
            str(about["Package"]),
            str(about["Version"]),
            "deb",
            " and ".join(names)[:300],
            str(about["SHA256"]),
            (("copyright", text),) if text else (),
        )


def copyright_of(deb: Path) -> str:
    """Its /usr/share/doc/PACKAGE/copyright; "" where that is a link into another package."""
    command = ("dpkg-deb", "--fsys-tarfile", str(deb))
    with subprocess.Popen(command, stdout=subprocess.PIPE) as reading:
        with tarfile.open(fileobj=reading.stdout, mode="r|") as archive:
            for member in archive:
                wanted = re.fullmatch(r"\./usr/share/doc/[^/]+/copyright", member.name)
                if wanted and member.isfile() and member.size < LARGEST_BYTES:
                    stream = archive.extractfile(member)
                    assert stream is not None
                    found = stream.read().decode("utf-8", "replace")
                    break
            else:
                found = ""
        reading.kill()
    return found


def of_files(folders: Iterable[Path]) -> Iterator[Package]:
    """All packages that lie in *folders*."""
    for folder in folders:
        for file in sorted(folder.glob("*")):
            if file.suffix == ".whl":
                yield of_wheel(file)
            elif file.name.endswith(".tar.gz"):
                yield of_source(file)
            elif file.name == "Packages":
                yield from of_debian(file)


def of_environment() -> Iterator[Package]:
    """All Python packages that this Python sees in its own environment."""
    own = [path for path in sys.path if path.startswith(sys.prefix)]
    for found in metadata.distributions(path=own):
        about = HeaderParser().parsestr(found.read_text("METADATA") or "")
        if about["Name"] == "mien":
            continue
        texts = [
            (str(file), Path(str(file.locate())).read_text(encoding="utf-8", errors="replace"))
            for file in found.files or []
            if is_licence(str(file)) and Path(str(file.locate())).is_file()
        ]
        yield Package(
            str(about["Name"]), str(about["Version"]), "pypi", licence_of(about), "", tuple(texts)
        )


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def own_version() -> str:
    """Of Mien."""
    text = (REPO_ROOT / "edge/__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]*)"$', text, re.MULTILINE)
    return found[1] if found else "unknown"


def sbom(packages: Sequence[Package], version: str) -> str:
    """The list as CycloneDX 1.6."""
    content: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "mien",
                "name": "mien",
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": [package.component() for package in packages],
    }
    # By its content, so that the same packages give the same list.
    digest = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(content, sort_keys=True))
    return json.dumps({**content, "serialNumber": f"urn:uuid:{digest}"}, indent=1) + "\n"


def notices(packages: Sequence[Package]) -> str:
    """The licences of all packages, one after another."""
    pieces = [
        "Mien comes with, or is installed together with, the packages below. Each is under a licence\n"
        "of its own. A package of Debian without a text shares that of another of the same source.\n"
    ]
    for package in packages:
        head = f"{package.name} {package.version}: {package.licence or 'licence not stated'}"
        pieces.append(f"{'=' * 78}\n{head}\n{'=' * 78}\n")
        pieces += [f"--- {name}\n\n{text.strip()}\n" for name, text in package.texts]
    return "\n".join(pieces)


def main(words: Sequence[str] | None = None) -> int:
    """Write both files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("of", choices=("files", "environment"))
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args(words)
    found = of_files(chosen.folders) if chosen.of == "files" else of_environment()
    # A package that two files are of, such as a wheel for each of two locks, once for each version.
    packages = sorted({each.purl: each for each in found}.values(), key=lambda each: each.purl)
    (chosen.out / SBOM).write_text(sbom(packages, own_version()), encoding="utf-8")
    (chosen.out / NOTICES).write_text(notices(packages), encoding="utf-8")
    print(f"{len(packages)} packages in {SBOM} and {NOTICES}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
