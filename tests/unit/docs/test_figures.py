"""Figures that stand in several places are the same in all, and those of the manifest."""

import re

import pytest

from edge.config.paths import MODELS, REPO_ROOT
from edge.perception.manifest import Manifest, load_manifest

FERPLUS = ("face", "ferplus head, accuracy", "FER+ majority, 8 classes", 3_152, "int8")
FER2013 = ("face", "fer2013 head, accuracy", "FER2013 labels, 7 classes", 3_589, "int8")
FRESH = (
    "face",
    "fer2013 head, accuracy, no copies of training rows",
    "FER2013 labels, 7 classes",
    3_301,
    "int8",
)
SHOWN = ("face", "shown, accuracy", "FER+ majority among the 7", 3_136, "int8")
BALANCED = ("face", "shown, balanced accuracy", "FER+ majority among the 7", 3_136, "int8")
SEVEN = "RAVDESS, 7 classes (calm = neutral)"
FOLDS = ("voice", "balanced accuracy", SEVEN, 1_319, "int8")
OWN = ("voice", "balanced accuracy", SEVEN, 299, "int8")
NEMO = ("voice", "balanced accuracy", "nemo, 6 classes", 539, "int8")
ALARMS = ("voice", "shown as an emotion other than neutral", "background, no voice", 325, "int8")
LEAKING = ("voice", "macro F1", "RAVDESS + TESS, 7 classes", 823, "int8")

Figure = tuple[str, str, str, int, str]
"""Model, name, label set, rows, precision of a metric in the manifest."""

PLACES: list[tuple[str, str, Figure]] = [
    ("README.md", r"eight classes, FER\+ majority.* \| (\S+) % \| 3,152", FERPLUS),
    ("README.md", r"seven classes, FER2013 labels.* \| (\S+) % \| 3,589", FER2013),
    ("README.md", r"without the rows that also are .* \| (\S+) % \| 3,301", FRESH),
    ("README.md", r"face as shown: accuracy, FER\+.* \| (\S+) % \| 3,136", SHOWN),
    ("README.md", r"every emotion counting alike .* \| (\S+) % \| 3,136", BALANCED),
    ("README.md", r"voice: balanced accuracy, seven.* \| (\S+) % \| 1,319", FOLDS),
    ("README.md", r"voice: .* of the shipped net.* \| (\S+) % \| 299", OWN),
    ("README.md", r"one nEMO \(Polish\).* \| (\S+) % \| 539", NEMO),
    ("README.md", r"held-out background recordings .* \| (\S+) % \| 325", ALARMS),
    ("README.md", r"macro F1 of (\S+) % \(823 rows\)", LEAKING),
    ("CHANGELOG.md", r"(\S+) % on the FER2013 labels \(PrivateTest, 3,589", FER2013),
    ("CHANGELOG.md", r"(\S+) % on the FER\+ majority \(3,152", FERPLUS),
    ("CHANGELOG.md", r"(\S+) % balanced on RAVDESS, five folds", FOLDS),
    ("008-numbers-name-their-split.md", r"\| (\S+) % \|.*\| 3,152", FERPLUS),
    ("008-numbers-name-their-split.md", r"\| (\S+) % \|.*\| 3,589", FER2013),
    ("008-numbers-name-their-split.md", r"\| (\S+) % \|.*\| 3,301", FRESH),
    ("008-numbers-name-their-split.md", r"\| (\S+) % \|.*\| 1,319", FOLDS),
    ("008-numbers-name-their-split.md", r"\| (\S+) % \|.*\| 823", LEAKING),
    ("008-numbers-name-their-split.md", r"\| (\S+) % \|.*\| 539", NEMO),
    ("009-int8-conversion.md", r"face (\S+) % int8 against", FER2013),
    ("009-int8-conversion.md", r"int8 against (\S+) % float on the FER", (*FER2013[:4], "float")),
    ("009-int8-conversion.md", r"and (\S+) % against \S+ % on the FER\+", FERPLUS),
    ("009-int8-conversion.md", r"against (\S+) % on the FER\+", (*FERPLUS[:4], "float")),
]


def text_of(name: str) -> str:
    """A document with its lines joined, since sentences run over them; tables keep theirs."""
    file = REPO_ROOT / name if name[0].isupper() else REPO_ROOT / "docs" / "decisions" / name
    return re.sub(r"\n *(?![ |#\n-])", " ", file.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return load_manifest(MODELS)


@pytest.mark.parametrize(("name", "pattern", "figure"), PLACES)
def test_a_figure_of_the_docs_is_the_manifests(
    manifest: Manifest, name: str, pattern: str, figure: Figure
) -> None:
    model, called, labels, rows, precision = figure
    value = next(  # the plain one stands before the one over noise
        metric.value
        for metric in (manifest.face if model == "face" else manifest.voice).metrics
        if (metric.name, metric.label_set, metric.rows, metric.precision)
        == (called, labels, rows, precision)
    )
    assert re.findall(pattern, text_of(name)) == [f"{100 * value:.1f}"]


def test_the_calibration_errors_of_the_readme_are_the_manifests(manifest: Manifest) -> None:
    face, voice = (
        # Of what is shown by either label set the first one counts: what it is fitted to.
        {(each.name, each.split): f"{each.value:.3f}" for each in reversed(entry.metrics)}
        for entry in (manifest.face, manifest.voice)
    )
    readings = ("fer2013 head", "ferplus head", "shown")
    private = tuple(
        face[f"{each}, calibration error, calibrated", "FER2013 PrivateTest"] for each in readings
    )
    (folds,) = (value for (name, _), value in voice.items() if name == "calibration error")
    text = text_of("README.md")
    row = r"calibration error of both heads / as shown.* \| (\S+), (\S+) / (\S+) \| 3,589"
    assert re.findall(row, text) == [private]
    assert re.findall(r"calibration error, five folds.* \| (\S+) \| 1,319", text) == [folds]


def test_both_tables_of_the_fusion_are_the_same() -> None:
    texts = [text_of(name).replace("*", "") for name in ("README.md", "004-fusion.md")]
    for row in ("| as recorded |", "| face blurred and dark |", "| voice in noise, 5 dB |"):
        lines = [re.findall(re.escape(row) + ".*", text) for text in texts]
        assert len(lines[0]) == 1
        assert lines[0] == lines[1]
    errors = [re.findall(r"calibration error .*?is (0\.\d+, 0\.\d+ and 0\.\d+)", t) for t in texts]
    assert len(errors[0]) == 1
    assert errors[0] == errors[1]


def test_the_share_of_frightened_faces_is_the_cards() -> None:
    card = (MODELS / "FACE_CARD.md").read_text(encoding="utf-8")
    table = card.split("PrivateTest, `fer2013` head, int8")[1]
    recall = re.findall(r"\| \*\*fear\*\* \|.*\| (\S+)% \|", table)[0]
    said = (REPO_ROOT / "docs" / "responsible-use.md").read_text(encoding="utf-8")
    assert f"finds {recall} % of the" in said
