"""Where an OLED is looked for, what tells its chip, and what is said about it."""

import errno
from pathlib import Path

import pytest

from edge.errors import OutputError
from edge.hardware.bus_purpose import whose
from edge.outputs.oled_search import Place, Search, candidates, search


class Bus:
    """Devices by address: the bytes that they answer, or the error numbers."""

    def __init__(
        self, devices: dict[int, list[int | OSError]], quick: tuple[int, ...] = ()
    ) -> None:
        self.devices, self.quick = devices, quick
        self.asked: list[int] = []
        self.closed = False

    def read_byte(self, i2c_addr: int) -> int:
        self.asked.append(i2c_addr)
        answers = self.devices.get(i2c_addr) or [OSError(errno.EREMOTEIO, "nobody")]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, OSError):
            raise answer
        return answer

    def write_quick(self, i2c_addr: int) -> None:
        if i2c_addr not in self.quick:
            raise OSError(errno.ENXIO, "nobody")

    def close(self) -> None:
        self.closed = True


class Machine:
    """Buses with names, under a folder that stands for /dev and /sys."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.buses: dict[int, Bus | OSError] = {}

    def add(self, port: int, bus: Bus | OSError, name: str = "bcm2835 (i2c@7e804000)") -> None:
        self.buses[port] = bus
        (self._root / f"i2c-{port}").touch()
        folder = self._root / f"class/i2c-dev/i2c-{port}"
        folder.mkdir(parents=True)
        (folder / "name").write_text(f"{name}\n")

    def search(self, port: int | None = None, address: int | None = None) -> Search:
        def open_bus(one: int) -> Bus:
            bus = self.buses[one]
            if isinstance(bus, OSError):
                raise bus
            return bus

        root = str(self._root)
        return search(port, address, open_bus=open_bus, dev=root, sysfs=root)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_display_at_the_other_address_of_a_second_bus_is_found_and_named(machine: Machine) -> None:
    machine.add(1, Bus({0x48: [0x00]}))
    machine.add(3, Bus({0x3D: [0x43]}), "MCP2221 usb-i2c bridge")
    monitor = Bus({0x3C: [0x08]})
    machine.add(20, monitor, "fef04500.i2c")
    ((driver, place, told),) = candidates("auto", None, None, look=machine.search)
    assert (driver, place.port, place.address) == ("ssd1306", 3, 0x3D)
    assert told == (
        "The display is the SSD1306 at 0x3D on I2C bus 3 (MCP2221 usb-i2c bridge). "
        "Not asked: I2C bus 20 (a monitor's)."
    )
    assert monitor.asked == []
    assert all(isinstance(bus, Bus) for bus in machine.buses.values())


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("i915 gmbus dpb", "a monitor's"),
        ("AUX A/DDI A/PHY A", "a monitor's"),
        ("AMDGPU DM i2c hw bus 0", "a monitor's"),
        ("NVIDIA i2c adapter 4 at 1:00.0", "a monitor's"),
        ("107d508200.i2c", "a monitor's"),
        ("bcm2835 (i2c@7e805000)", "a monitor's"),
        ("SMBus I801 adapter at efa0", "the mainboard's"),
        ("Tegra BPMP I2C adapter", "the power supply's"),
        ("i2c-22-mux (chan_id 1)", "the camera connector's"),
        ("i2c-22-mux (chan_id 0)", ""),
        ("bcm2835 (i2c@7e804000)", ""),
        ("1f00074000.i2c", ""),
        ("c240000.i2c", ""),
        ("MCP2221 usb-i2c bridge", ""),
        ("CP2112 SMBus Bridge on hidraw2", ""),
    ],
)
def test_buses_of_others_are_known_by_the_names_of_their_adapters(
    machine: Machine, tmp_path: Path, name: str, owner: str
) -> None:
    machine.add(5, Bus({}), name)
    assert whose(5, str(tmp_path)) == owner


def test_bus_that_a_graphics_driver_names_as_its_own_is_left_alone(
    machine: Machine, tmp_path: Path
) -> None:
    machine.add(5, Bus({}), "unheard of")
    assert whose(5, str(tmp_path)) == ""
    socket = tmp_path / "class/drm/card1-HDMI-A-1"
    socket.mkdir(parents=True)
    (socket / "ddc").symlink_to(tmp_path / "class/i2c-dev/i2c-5")
    assert whose(5, str(tmp_path)) == "a monitor's"


@pytest.mark.parametrize(
    ("status", "driver", "certain"),
    [(0x43, "ssd1306", True), (0x06, "ssd1306", True), (0x04, "ssd1306", True),
     (0x08, "sh1106", True), (0x48, "sh1106", True),
     (0x00, "ssd1306", False), (0x07, "ssd1306", False), (0xFF, "ssd1306", False)],
)  # fmt: skip
def test_status_tells_the_chip_or_it_is_said_that_it_does_not(
    machine: Machine, status: int, driver: str, certain: bool
) -> None:
    machine.add(1, Bus({0x3C: [status]}))
    ((chip, _, told),) = candidates("auto", None, None, look=machine.search)
    assert chip == driver
    assert ("cannot be told" in told) is not certain
    assert ("set [display] driver" in told) is not certain


def test_readings_that_disagree_are_repeated(machine: Machine) -> None:
    machine.add(1, Bus({0x3C: [0xFF, 0x08, 0x08]}))
    assert machine.search().found[0].status == 0x08


def test_display_is_found_although_reads_are_refused_now_and_then(machine: Machine) -> None:
    refused = OSError(errno.EREMOTEIO, "no")
    machine.add(1, Bus({0x3C: [refused, refused, 0x06, 0x06]}))
    assert [place.driver for place in machine.search().found] == ["ssd1306"]


def test_module_that_cannot_be_read_is_found_by_its_acknowledgement(machine: Machine) -> None:
    machine.add(1, Bus({}, quick=(0x3C,)))
    ((driver, place, told),) = candidates("auto", None, None, look=machine.search)
    assert (driver, place.status) == ("ssd1306", None)
    assert "says nothing" in told


def test_address_of_a_kernel_driver_is_left_alone(machine: Machine) -> None:
    machine.add(1, Bus({0x3C: [OSError(errno.EBUSY, "busy")]}, quick=(0x3C,)))
    assert machine.search().found == ()


def test_bus_that_hangs_does_not_hide_the_display_on_another(machine: Machine) -> None:
    machine.add(0, Bus({0x3C: [OSError(errno.ETIMEDOUT, "timed out")]}))
    machine.add(1, Bus({0x3C: [0x06]}))
    seen = machine.search()
    assert [place.port for place in seen.found] == [1]
    assert [port for port, _ in seen.refused] == [0]


def test_what_can_be_told_goes_before_what_may_be_something_else(machine: Machine) -> None:
    machine.add(0, Bus({0x3C: [0xFF]}))  # such as a port expander
    machine.add(1, Bus({0x3D: [0x08]}))
    assert [place.port for place in machine.search().found] == [1, 0]


def test_lost_display_is_looked_for_where_it_was_and_not_among_strangers(machine: Machine) -> None:
    machine.add(0, Bus({0x3C: [0xFF]}))
    machine.add(1, Bus({0x3C: [0x06]}))
    machine.add(3, Bus({0x3D: [0x06]}))
    before = Place(3, 0x3D)
    found = candidates("auto", None, None, before, look=machine.search)
    assert [place.port for _, place, _ in found] == [3, 1]
    machine.buses[3] = machine.buses[1] = Bus({})
    with pytest.raises(OutputError, match="No OLED answers"):
        candidates("auto", None, None, before, look=machine.search)


def test_place_and_chip_that_are_set_are_not_asked() -> None:
    def nobody_asks(port: int | None, address: int | None) -> Search:
        raise AssertionError

    found = candidates("sh1106", 1, 0x3C, look=nobody_asks)
    assert found == [("sh1106", Place(1, 0x3C), "")]


@pytest.mark.parametrize(
    ("bus", "words"),
    [
        (None, ("There is no I2C bus", "raspi-config nonint do_i2c 0")),
        (Bus({}), ("at 0x3C and 0x3D on I2C bus 1", "SDA, SCL")),
        (PermissionError(errno.EACCES, "denied"), ("/dev/i2c-1", "usermod -aG i2c $USER")),
        (Bus({0x3C: [OSError(errno.ETIMEDOUT, "Timer expired")]}), ("bus 1 is not well",)),
    ],
)
def test_why_there_is_none_is_one_sentence_with_a_remedy(
    machine: Machine, bus: Bus | OSError | None, words: tuple[str, ...]
) -> None:
    if bus is not None:
        machine.add(1, bus)
    with pytest.raises(OutputError) as caught:
        candidates("auto", None, None, look=machine.search)
    assert all(word in str(caught.value) for word in words)
