import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

SOME = """
import pytest

def test_one():
    pytest.skip("no camera here")

@pytest.mark.skipif(True, reason="no camera here")
def test_other():
    pass
"""


def test_what_was_skipped_is_listed_by_reason_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(SOME)
    (tmp_path / "test_none.py").write_text("import pytest\npytest.importorskip('not_there')\n")
    command = [sys.executable, "-m", "pytest", "-q", "-c", "/dev/null", "-p", "tests.conftest"]
    run = subprocess.run(
        [*command, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    table = run.stdout.split("did not run", 1)[1].splitlines()[1:4]
    assert table[0] == "tests files  why"
    assert table[1] == "    2     0  no camera here"
    assert table[2].startswith("    0     1  could not import 'not_there'")
