"""What `mien doctor` says of the last upgrade."""

from pathlib import Path

from edge.diagnostics.checks.upgrade import check_upgrade
from edge.upgrade.probation import Before
from edge.upgrade.record import Outcome, Upgrade, save


def test_doctor_says_how_the_last_upgrade_ended(tmp_path: Path) -> None:
    release = tmp_path / "releases/1"
    release.mkdir(parents=True)
    assert not list(check_upgrade(release))
    save(tmp_path, Outcome(False, "Mien 2 did not pass its probation: it hung; 1 is back."))
    (check,) = check_upgrade(release)
    assert check.state == "warning"
    assert check.says == "Mien 2 did not pass its probation: it hung; 1 is back"
    save(tmp_path, Outcome(True, "Mien 1 has passed its probation."))
    (check,) = check_upgrade(release)
    assert check.state == "ok"
    save(tmp_path, Upgrade("1", "3", "boot", 180.0, Before(True)))
    (check,) = check_upgrade(release)
    assert "3 is on probation" in check.says


def test_a_checkout_has_no_upgrades(tmp_path: Path) -> None:
    assert not list(check_upgrade(tmp_path))
