from pathlib import Path

import pytest

from edge.hardware.thermal import THROTTLED_FILE, Heat, Throttling, read_heat, read_throttling


def put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_machine_without_sensors_is_fine(tmp_path: Path) -> None:
    assert read_heat(tmp_path) == Heat()


@pytest.mark.parametrize(
    ("bits", "slowed", "under_voltage"),
    [
        ("0", False, False),
        ("50000", False, False),  # it was, and is no longer
        ("50005", True, True),
        ("2", True, False),
        ("8", True, False),
        ("1", False, True),
        ("nonsense", False, False),
    ],
)
def test_throttle_bits_of_a_pi(
    tmp_path: Path, bits: str, slowed: bool, under_voltage: bool
) -> None:
    put(tmp_path / THROTTLED_FILE, f"{bits}\n")
    heat = read_heat(tmp_path)
    assert (heat.slowed, heat.under_voltage) == (slowed, under_voltage)


def test_hottest_zone_counts_but_not_a_jetsons_power_chip(tmp_path: Path) -> None:
    zones = tmp_path / "class/thermal"
    for number, (kind, temperature) in enumerate(
        [("cpu-thermal", "61500"), ("GPU-therm", "64000"), ("PMIC-Die", "100000"), ("dead", "")]
    ):
        put(zones / f"thermal_zone{number}/type", kind)
        put(zones / f"thermal_zone{number}/temp", temperature)
    assert read_heat(tmp_path).temperature_c == 64.0


def test_throttling_is_read_from_sysfs_else_asked_of_the_firmware(tmp_path: Path) -> None:
    def missing() -> str:
        raise FileNotFoundError

    assert read_throttling(tmp_path, missing) is None
    assert read_throttling(tmp_path, lambda: "VCHI initialization failed") is None
    assert read_throttling(tmp_path, lambda: "throttled=0x50005\n") == Throttling(0x50005)
    put(tmp_path / THROTTLED_FILE, "80000\n")
    assert read_throttling(tmp_path, missing) == Throttling(0x80000)
