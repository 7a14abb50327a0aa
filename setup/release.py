"""Makes a release: `./setup.sh release VERSION [--dry-run] [--bundle ARCH/PYTHON]... [--sign KEY]`.

Everything is built from an export of the commit, beside the working tree, and tried; the version and
the changelog are written, committed and tagged only when all of it is there. So a step that fails
leaves the repository as it was. Nothing is pushed. Needs the standard library alone.
"""

import argparse
import datetime
import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

VERSION_FILE: Final = "edge/__init__.py"
CHANGELOG: Final = "CHANGELOG.md"
BUNDLES: Final = ("aarch64/3.11", "aarch64/3.13")
"""Raspberry Pi OS bookworm and trixie."""

_VERSION: Final = re.compile(r'^__version__ = "([^"]*)"$', re.MULTILINE)
_UNRELEASED: Final = "## [Unreleased]\n"
_TRIAL: Final = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])  # before the editable install of the checkout
import edge
from edge.config.paths import MODELS
from edge.config.schema import Settings
from edge.diagnostics.checks.files import check_models
folder, version = Path(sys.argv[1]), sys.argv[2]
assert Path(edge.__file__).is_relative_to(folder), edge.__file__
assert edge.__version__ == version, edge.__version__
assert MODELS.is_relative_to(folder), MODELS
failed = [check.says for check in check_models(Settings()) if check.state != "ok"]
assert not failed, failed
"""

Run = Callable[[Sequence[str], Path], str]
"""Runs a command in a folder and gives its standard output; raises `ReleaseError`."""


class ReleaseError(Exception):
    """Why there is no release: one sentence, with what to do about it."""


class _Parser(argparse.ArgumentParser):
    """Says in one sentence what is wrong with the command line."""

    def error(self, message: str) -> NoReturn:
        print(
            f"release: The command line is wrong: {message}; see ./setup.sh release --help.",
            file=sys.stderr,
        )
        sys.exit(2)


@dataclass(frozen=True)
class Plan:
    """What is to be released."""

    root: Path
    version: str
    branch: str
    commit: str
    """What is built."""
    files: dict[str, str]
    """New content of `VERSION_FILE` and `CHANGELOG`, by path."""
    notes: str
    """What the changelog says of this version."""

    @property
    def tag(self) -> str:
        """Name of the tag."""
        return f"v{self.version}"

    @property
    def out(self) -> Path:
        """Where the files of the release go."""
        return self.root / "var" / "release" / self.version


def run(command: Sequence[str], folder: Path) -> str:
    """Run *command* in *folder*, saying so; what it says on the standard error is shown.

    Raises:
        ReleaseError: it failed or is not there.
    """
    if command[0] != "git":
        print("$", " ".join(word for word in command if "\n" not in word), file=sys.stderr)
    try:
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    except OSError as error:
        raise ReleaseError(f"{command[0]} cannot be run ({error.strerror}); install it.") from error
    except subprocess.CalledProcessError as error:
        sys.stderr.write((error.stdout or "")[-4000:])
        raise ReleaseError(
            f'"{" ".join(command[:3])}" failed with {error.returncode}; mend what the lines above '
            "say and run it again."
        ) from error
    return done.stdout


def with_version(text: str, version: str) -> str:
    """The text of `VERSION_FILE` with *version* in it."""
    return _VERSION.sub(f'__version__ = "{version}"', text)


def with_release(changelog: str, version: str, day: datetime.date) -> tuple[str, str]:
    """The changelog with its unreleased entries under *version*, and those entries.

    Raises:
        ReleaseError: there is none, or the version is in it already.
    """
    if f"\n## [{version}]" in changelog:
        raise ReleaseError(f"{CHANGELOG} has {version} already; choose the next version.")
    before, found, after = changelog.partition(_UNRELEASED)
    notes = re.split(r"^## ", after, maxsplit=1, flags=re.MULTILINE)[0].strip()
    if not found or not re.search(r"^[-*] ", notes, re.MULTILINE):
        raise ReleaseError(
            f'{CHANGELOG} has nothing under "{_UNRELEASED.strip()}"; write down there what is new.'
        )
    return f"{before}{_UNRELEASED}\n## [{version}] - {day.isoformat()}\n{after}", notes


def make_plan(root: Path, version: str, run: Run, day: datetime.date) -> Plan:
    """Check everything that can be checked before anything is built.

    Raises:
        ReleaseError: the version, the working tree or the changelog is not fit for a release.
    """
    if not re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", version):
        raise ReleaseError(f'"{version}" is no version; give three numbers, such as 0.2.0.')
    text = (root / VERSION_FILE).read_text(encoding="utf-8")
    present = _VERSION.search(text)
    if present is None:
        raise ReleaseError(f"{VERSION_FILE} has no line with __version__; restore it.")
    if _numbers(version) < _numbers(present[1]):
        raise ReleaseError(f"{version} is older than {present[1]}; give a newer version.")
    branch = run(("git", "branch", "--show-current"), root).strip()
    if not branch:
        raise ReleaseError("No branch is checked out; check out main first.")
    if run(("git", "status", "--porcelain"), root).strip():
        raise ReleaseError("The working tree has changes; commit or stash them first.")
    if run(("git", "tag", "--list", f"v{version}"), root).strip():
        raise ReleaseError(f"The tag v{version} is there already; choose the next version.")
    changelog, notes = with_release((root / CHANGELOG).read_text(encoding="utf-8"), version, day)
    files = {VERSION_FILE: with_version(text, version), CHANGELOG: changelog}
    return Plan(root, version, branch, _head(root, run), files, notes)


def build(plan: Plan, bundles: Sequence[str], run: Run, key: str = "") -> None:
    """Build wheel, sdist and *bundles* into `Plan.out` from an export of the commit, try the wheel.

    The bundles are signed with the private *key*, if there is one.

    Raises:
        ReleaseError: a step failed.
    """
    source, trial = plan.out.with_name("source"), plan.out.with_name("trial")
    for folder in (source, trial, plan.out):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    run(("git", "archive", "--output", str(source / ".tar"), plan.commit), plan.root)
    run(("tar", "-xf", ".tar"), source)
    (source / ".tar").unlink()
    for name, text in plan.files.items():
        (source / name).write_text(text, encoding="utf-8")
    python = str(plan.root / ".venv" / "bin" / "python")
    run((python, "-m", "build", "--outdir", str(plan.out)), source)
    wheel = next(iter(plan.out.glob("*.whl")), None)
    if wheel is None:
        raise ReleaseError(f"There is no wheel in {plan.out}; look at the lines above.")
    # Its packages alone, with the libraries of .venv: what only the checkout has is not found.
    run((python, "-m", "zipfile", "-e", str(wheel), str(trial)), trial)
    run((python, "-c", _TRIAL, str(trial), plan.version), trial)
    for bundle in bundles:
        arch, _, version = bundle.partition("/")
        out = str(plan.out / f"mien-{plan.version}-{arch}-py{version}.tar")
        signed = ("--sign", str(Path(key).resolve())) if key else ()
        words = ("--arch", arch, "--python", version, "--out", out, *signed)
        run(("./setup.sh", "bundle", *words), source)
    sums = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(plan.out.iterdir())
    ]
    (plan.out / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
    for folder in (source, trial):
        shutil.rmtree(folder)


def publish(plan: Plan, run: Run) -> None:
    """Write version and changelog, commit and tag them; all of it or nothing.

    Raises:
        ReleaseError: git refused, or the branch is no longer where it was.
    """
    if _head(plan.root, run) != plan.commit:
        raise ReleaseError(f"{plan.branch} moved while the release was built; run it again.")
    message = f"Release {plan.version}"
    notes = f"Mien {plan.version}\n\n{plan.notes}\n"
    try:
        for name, text in plan.files.items():
            (plan.root / name).write_text(text, encoding="utf-8")
        run(("git", "commit", "--quiet", "--message", message, *plan.files), plan.root)
        # Verbatim, as git takes the headings of the notes for comments.
        run(
            ("git", "tag", "--annotate", "--cleanup=verbatim", plan.tag, "--message", notes),
            plan.root,
        )
    except (ReleaseError, OSError):
        run(("git", "reset", "--quiet", "--soft", plan.commit), plan.root)
        run(("git", "restore", "--staged", "--worktree", *plan.files), plan.root)
        raise


def _head(root: Path, run: Run) -> str:
    return run(("git", "rev-parse", "HEAD"), root).strip()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _steps(plan: Plan, bundles: Sequence[str], key: str) -> list[str]:
    return [
        "./setup.sh test",
        f"export {plan.commit[:12]}, with {plan.version} in {VERSION_FILE} and {CHANGELOG}",
        "python -m build: wheel and sdist",
        "try the wheel away from the checkout",
        *(
            f"./setup.sh bundle for {bundle}" + (f", signed with {key}" if key else "")
            for bundle in bundles
        ),
        f"SHA256SUMS; all of it in {plan.out}",
        f"write {' and '.join(plan.files)}, commit on {plan.branch}, tag {plan.tag}",
    ]


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(prog="./setup.sh release", description=__doc__)
    parser.add_argument("version", help="three numbers, such as 0.2.0")
    parser.add_argument("--dry-run", action="store_true", help="print each step, change nothing")
    parser.add_argument(
        "--bundle",
        action="append",
        metavar="ARCH/PYTHON",
        help=f'"none", or which to make, again and again (unless given: {" ".join(BUNDLES)})',
    )
    parser.add_argument("--sign", default="", metavar="KEY", help="sign the bundles with it")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str], root: Path, run: Run = run) -> int:
    """Make the release; return the exit code."""
    try:
        options = _options(arguments)
        bundles = [each for each in options.bundle or BUNDLES if each != "none"]
        wrong = [each for each in bundles if not re.fullmatch(r"(aarch64|x86_64)/3\.1[0-3]", each)]
        if wrong:
            raise ReleaseError(f'--bundle takes one such as aarch64/3.13, not "{wrong[0]}".')
        plan = make_plan(root, options.version, run, datetime.date.today())
        if options.sign and not Path(options.sign).is_file():
            raise ReleaseError(f"There is no key {options.sign}; name a private key of ssh-keygen.")
        if options.dry_run:
            print("\n".join(f"would: {step}" for step in _steps(plan, bundles, options.sign)))
            return 0
        run(("./setup.sh", "test"), root)
        build(plan, bundles, run, options.sign)
        publish(plan, run)
    except ReleaseError as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"release: {error.filename or 'A file'} cannot be written or read ({error.strerror}); "
            "make room or change the permissions, then run it again.",
            file=sys.stderr,
        )
        return 1
    print(f"Mien {plan.version} is tagged as {plan.tag}; its files are in {plan.out}.")
    print(f"Publish it: git push origin {plan.branch} {plan.tag}, and attach those files.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path(__file__).resolve().parents[1]))
