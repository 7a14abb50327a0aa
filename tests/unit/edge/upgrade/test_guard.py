"""The guard switches in, watches and goes back, wherever it is cut off."""

import errno
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edge.upgrade.guard import Guard
from edge.upgrade.observation import Observation
from edge.upgrade.record import Outcome, load, outcome, save
from edge.upgrade.releases import Releases
from edge.upgrade.system import System


class PowerCut(BaseException):
    """Ends the process at once."""


class Machine(System):
    """A machine with a clock of its own, whose service does what the test says."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.runs = True
        self.boot, self.t_s = "first", 100.0
        self.broken, self.ends_by = "", ("exit-code", 1)
        self.cut_at = -1
        self.steps: list[str] = []
        self.current: Callable[[], str] = lambda: ""

    def boot_id(self) -> str:
        return self.boot

    def now_s(self) -> float:
        return self.t_s

    def wait(self, seconds: float) -> None:
        self._step("wait")
        self.t_s += seconds

    def look(self) -> Observation:
        if self.broken and self.current() == self.broken:
            return Observation(self.t_s, "activating", *self.ends_by, restarts=1)
        return Observation(self.t_s, "active", senses={"face": "ok"}, memory_mb=90.0)

    def last_words(self) -> str:
        return "The face net is of no use." if self.broken else ""

    def take_up(self) -> None:
        self._step("take up")

    def restart(self, wait: bool = False) -> bool:
        self._step("restart")
        return True

    def start_guard(self) -> bool:
        return True

    def _step(self, name: str) -> None:
        self.steps.append(name)
        if len(self.steps) == self.cut_at:
            raise PowerCut

    def power_up(self) -> None:
        """Start again after a power cut."""
        self.boot, self.t_s, self.cut_at, self.steps = "second", 3.0, -1, []


class House:
    """An installation with the releases "old" and "new", of which the old one is in force."""

    def __init__(self, folder: Path) -> None:
        self.root, self.opt = folder, folder / "opt/mien"
        self.releases, self.machine = Releases(self.opt, folder), Machine(folder)
        self.machine.current = lambda: self.releases.named("current")
        self.said: list[str] = []
        self.guard = Guard(self.releases, self.machine, self.said.append)
        self._bring("old", {"unit": "old", "only-old": "x", "mien/config.toml": "# old"})
        self.guard.switch("old")
        self._bring("new", {"unit": "new", "only-new": "y", "mien/config.toml": "# new"})

    def _bring(self, name: str, files: dict[str, str]) -> None:
        for file, text in files.items():
            path = self.releases.folder(name) / "system/etc" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (self.releases.folder(name) / "venv").mkdir()

    def files(self) -> dict[str, str]:
        etc = self.root / "etc"
        found = (file for file in etc.rglob("*") if file.is_file())
        return {str(file.relative_to(etc)): file.read_text() for file in found}

    def is_on(self, name: str) -> bool:
        """Whether all of it is of that release and nothing of the other is left."""
        return (
            self.releases.named("current") == name
            and self.files()
            == {"unit": name, f"only-{name}": {"old": "x", "new": "y"}[name]}
            | {"mien/config.toml": f"# {name}"}
            and load(self.opt) is None
        )


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_a_release_that_passes_stays_and_the_old_one_is_kept(house: House) -> None:
    house.guard.begin("new", 60.0)
    house.guard.run()
    assert house.is_on("new")
    assert house.releases.named("previous") == "old"
    assert outcome(house.opt) == Outcome(True, "Mien new has passed its probation.")
    assert house.machine.t_s >= 160.0


def test_a_release_that_fails_goes_away_with_all_that_was_its_own(house: House) -> None:
    house.guard.begin("new", 60.0)
    house.machine.broken = "new"
    house.guard.run()
    assert house.is_on("old")
    assert not house.releases.folder("new").exists()
    assert house.machine.steps[-2:] == ["take up", "restart"]
    (sentence,) = [line for line in house.said if "did not pass" in line]
    assert "it ended with exit code 1 within" in sentence
    assert 'it said: "The face net is of no use."' in sentence
    assert outcome(house.opt) == Outcome(False, sentence)


def test_what_was_said_last_explains_no_signal(house: House) -> None:
    house.guard.begin("new", 60.0)
    house.machine.broken, house.machine.ends_by = "new", ("signal", 11)
    house.guard.run()
    assert "it was ended by signal 11 within" in house.said[-1]
    assert "it said" not in house.said[-1]


def test_after_a_power_cut_at_any_point_the_old_release_is_in_force(tmp_path: Path) -> None:
    cuts = 0
    for cut_at in range(1, 12):
        house = House(tmp_path / str(cut_at))
        house.machine.steps, house.machine.cut_at = [], cut_at
        house.guard.begin("new", 5.0)
        try:
            house.guard.run()
        except PowerCut:
            cuts += 1
            house.machine.power_up()
            Guard(house.releases, house.machine, house.said.append).run()
            assert house.is_on("old"), cut_at
            ended = outcome(house.opt)
            assert ended is not None
            assert "a power cut or a crash" in ended.sentence
        else:
            assert house.is_on("new")
    assert cuts >= 6


def test_a_power_cut_while_it_goes_back_is_gone_on_with(tmp_path: Path) -> None:
    for cut_at in (4, 5):
        house = House(tmp_path / str(cut_at))
        house.machine.broken = "new"
        house.machine.steps, house.machine.cut_at = [], cut_at
        house.guard.begin("new", 5.0)
        with pytest.raises(PowerCut):
            house.guard.run()
        house.machine.power_up()
        Guard(house.releases, house.machine, house.said.append).run()
        assert house.is_on("old")
        ended = outcome(house.opt)
        assert ended is not None
        assert "exit code 1" in ended.sentence


def test_an_orderly_shutdown_begins_the_probation_anew(house: House) -> None:
    house.machine.steps, house.machine.cut_at = [], 5
    house.guard.begin("new", 60.0)
    with pytest.raises(PowerCut):
        house.guard.run()
    house.guard.pause()
    house.machine.power_up()
    house.guard.run()
    assert house.is_on("new")
    assert house.machine.t_s >= 63.0


def test_a_guard_that_is_started_again_in_the_same_boot_goes_on(house: House) -> None:
    house.machine.steps, house.machine.cut_at = [], 5
    house.guard.begin("new", 60.0)
    with pytest.raises(PowerCut):
        house.guard.run()
    house.machine.cut_at = -1
    house.guard.run()
    assert house.is_on("new")


def test_settings_that_a_person_changed_stay_through_switch_and_back(house: House) -> None:
    settings = house.root / "etc/mien/config.toml"
    settings.write_text("# mine")
    house.guard.begin("new", 5.0)
    house.guard.run()
    assert settings.read_text() == "# mine"
    house.guard.rollback()
    assert settings.read_text() == "# mine"
    assert house.releases.named("current") == "old"


def test_rollback_during_a_probation_goes_to_the_release_before_it(house: House) -> None:
    house.machine.steps, house.machine.cut_at = [], 5
    house.guard.begin("new", 60.0)
    with pytest.raises(PowerCut):
        house.guard.run()
    house.machine.cut_at = -1
    assert house.guard.rollback() == "old"
    assert house.is_on("old")


def test_a_release_from_before_there_were_files_of_its_own_is_gone_back_to_whole(
    house: House,
) -> None:
    shutil.rmtree(house.releases.folder("old") / "system")
    (house.root / "etc/only-old").unlink()
    before = house.files()
    house.machine.broken = "new"
    house.guard.begin("new", 5.0)
    house.guard.run()
    assert house.files() == before
    assert house.releases.named("current") == "old"


def test_a_guard_that_does_not_start_leaves_everything_as_it_was(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.machine, "start_guard", lambda: False)
    assert not house.guard.begin("new", 5.0)
    assert house.is_on("old")


def test_a_full_disk_while_switching_goes_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, calls = house.releases.switch, []

    def full_at_first(name: str, other: str) -> None:
        calls.append(name)
        if len(calls) <= 2:
            raise OSError(errno.ENOSPC, "No space left on device", "unit")
        assert not (house.releases.folder("new") / "venv").exists()
        usual(name, other)

    monkeypatch.setattr(house.releases, "switch", full_at_first)
    house.guard.begin("new", 5.0)
    house.guard.run()
    assert calls == ["new", "old", "old"]
    assert house.is_on("old")
    assert any("there is no room on the disk" in line for line in house.said)


def test_a_record_that_cannot_be_read_is_none(house: House) -> None:
    house.guard.begin("new", 5.0)
    pending = load(house.opt)
    assert pending is not None
    save(house.opt, replace(pending, why="x"))
    for text in ("", "{", "[]", '{"old": 1}', '{"before": 3}'):
        (house.opt / "probation.json").write_text(text)
        assert load(house.opt) is None
    house.guard.run()
    assert house.is_on("old")
