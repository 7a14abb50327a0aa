"""Groups of people side by side, and those that do worse."""

import pytest

pytest.importorskip("cv2")
pytest.importorskip("tqdm")

from convert.errors import DataError
from convert.studies.groups import SMILING, Case, print_groups


def test_a_group_that_is_behind_is_named_and_a_small_one_is_not_judged(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cases = [
        *[Case(("old",), index % 10 < 7) for index in range(100)],
        *[Case(("young",), True) for _ in range(300)],
        *[Case(("few",), False) for _ in range(3)],
    ]
    print_groups(cases)
    said = capsys.readouterr().out
    assert "| old | 100 | 70.0% | 60.4% to 78.1% |" in said
    assert "behind all: old (-21.8 points)." in said
    assert "few" not in said
    assert said.index("| all |") < said.index("| old |")


def test_nobody_behind_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    print_groups([Case(("a",), True)] * 30)
    assert "behind all: no group." in capsys.readouterr().out


def test_nobody_at_all_is_no_all_clear() -> None:
    with pytest.raises(DataError, match="nobody of that kind"):
        print_groups([])


def test_sources_tell_who_smiles() -> None:
    told = {source: groups for _, source, groups in SMILING}
    london = told["london"]({"age": "24", "gender": "female", "eth": "east_asian"})
    assert london == ("age below 30", "female", "origin east asian")
    assert told["london"]({"age": "NA", "gender": "male", "eth": "NA"}) == ("male",)
    omi = told["omi"]({"age": "50.4", "gender": "86.9", "skin-color": "15.7"})
    assert omi == ("age from 30 on", "male", "skin not darker than most")
