"""Bundles that are damaged, and the shell that has to refuse them."""

import hashlib
import shutil
import subprocess
from pathlib import Path
from random import Random
from typing import Final

from edge.config.paths import REPO_ROOT
from tests.fuzz.mutations import another_kind, bytes_of

CAN_SIGN: Final = shutil.which("ssh-keygen") is not None
DAMAGED: Final = ("SHA256SUMS", "SHA256SUMS", "SHA256SUMS.sig", "bundle.txt", "wheels/a.whl")
PLANTED: Final = (
    *("../x", "./../x", "./wheels/../../x", "/etc/passwd", "./a b", "./-rf", "./bundle.txt"),
    *("./" + "x/" * 600 + "x", "./SHA256SUMS.sig", "./.", "./wheels", "./\x1b[2J", "./\udcff"),
)
"""Names that a list of files ought not to have."""
_CHECK: Final = """
cd "$1"; ROOT=; REPO_ROOT=$OLDPWD; STEPS=1
for piece in steps packages install install_system use_bundle; do . "setup/$piece.sh"; done
set -euo pipefail
REPO_ROOT=$OLDPWD WORK=$OLDPWD/var LOG=$OLDPWD/var/setup.log BUNDLE_KEY=$3/key.pub KEPT_KEY=$OLDPWD/kept
open_log
check_listed "$2/bundle" "$OLDPWD/copy"
diff -r --exclude=SHA256SUMS.sig "$3/bundle" "$OLDPWD/copy" || exit 9
"""
"""Checks the bundle in a folder as install does; ends with 9 if a damaged one was taken."""


def make_bundle(folder: Path) -> None:
    """A small signed one as *folder*/bundle, with its keys beside it."""
    bundle, key = folder / "bundle", folder / "key"
    (bundle / "wheels").mkdir(parents=True)
    for name in ("setup.sh", "bundle.txt", "wheels/a.whl", "wheels/empty.whl"):
        (bundle / name).write_text("" if "empty" in name else f"{name}\n" * 50)
    (bundle / "setup.sh").chmod(0o755)
    sums = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  ./{file.relative_to(bundle)}\n"
        for file in sorted(bundle.rglob("*"))
        if file.is_file()
    ]
    (bundle / "SHA256SUMS").write_text("".join(sums))
    sign = ("-Y", "sign", "-f", str(key), "-n", "mien-bundle", str(bundle / "SHA256SUMS"))
    for words in (("-t", "ed25519", "-N", "", "-f", str(key)), sign):
        command = ["ssh-keygen", "-q", *words]
        subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)


def damage_bundle(random: Random, originals: Path, folder: Path) -> list[str]:
    """Damage the list, the signature or a file of a copy in *folder*; the words for bash."""
    bundle = Path(shutil.copytree(originals / "bundle", folder / "bundle"))
    file = bundle / random.choice(DAMAGED)
    if random.random() < 0.3:
        another_kind(random, file)
    elif file.name != "SHA256SUMS" or random.random() < 0.5:
        file.write_bytes(bytes_of(random, file.read_bytes()))
    else:
        planted = f"{hashlib.sha256(b'').hexdigest()}  {random.choice(PLANTED)}"
        lines = [*file.read_text().splitlines(), planted]
        text = "\n".join(random.sample(lines, len(lines))) + "\n"
        file.write_text(text, errors="surrogateescape")
    return ["bash", "-c", _CHECK, "bundle", str(REPO_ROOT), str(folder), str(originals)]
