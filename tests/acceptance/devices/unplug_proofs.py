"""In the guest: takes Mien's devices away and brings them back."""

import subprocess
import time
from pathlib import Path
from typing import Final

from tests.acceptance.common.service import ask, journal, main_pid, need, show, wait_for
from tests.acceptance.container.service_faults import CONTROLLERS, out_of_memory
from tests.acceptance.devices.load_drivers import CAMERA_OPTIONS
from tests.acceptance.devices.observed_outputs import World, pictures, pin, shown
from tests.acceptance.devices.output_proofs import RECORDING_PIN, SEEN_S
from tests.acceptance.devices.simulation_control import tell, wish

LOST_S: Final = 20.0
BACK_S: Final = 10.0
"""The bar for a camera. It is 5 s for everything else, on a board that opens devices faster than an
emulated machine does; what was measured is in the table."""
UNPLUGGED_S: Final = 90.0
"""uhid lets each transfer to a device that is being unplugged time out by itself, after 4 s, and keeps
the bus until the last program has let go of it."""
BUS: Final = Path("/dev/i2c-1")
OTHER_BUS: Final = Path("/dev/i2c-2")
REFUSED: Final = 5
FLAKY_S: Final = 120.0
KILLED: Final = 3
"""How often; the container does it twenty times, but not under cgroup v2 everywhere."""
OTHER_NODE: Final = "/dev/video7"


def camera_freezes(world: World) -> str:
    """The camera stays there and delivers nothing."""
    tell("scene", "frozen")
    lost_s = wait_for("the loss", lambda: world.ear.state("face") == "lost", LOST_S)
    wait_for(
        "the mark on the display",
        lambda: "camera lost" in shown(world.faces).icons,
        BACK_S,
    )
    tell("scene", "happy")
    back_s = wait_for("the camera", lambda: world.ear.state("face") == "ok", BACK_S)
    wait_for(
        "an unmarked display",
        lambda: "camera lost" not in shown(world.faces).icons,
        BACK_S,
    )
    return f"said after {lost_s:.1f} s, marked on the display; {back_s:.1f} s to come back"


def pull_camera(world: World) -> float:
    """Seconds until Mien says that it is lost."""
    ask("systemctl", "stop", "rig-simulated@camera.service")
    lost_s = wait_for("the loss", lambda: world.ear.state("face") == "lost", LOST_S)
    wait_for(
        "the driver's end",
        lambda: ask("modprobe", "--remove", "v4l2loopback").returncode == 0,
        LOST_S,
    )
    return lost_s


def plug_camera(node: str) -> None:
    """Another number, as after a loose contact."""
    number = node.removeprefix("/dev/video")
    done = ask("modprobe", "v4l2loopback", f"video_nr={number}", *CAMERA_OPTIONS)
    need(done.returncode == 0, f"the camera cannot be plugged in: {done.stderr}")
    tell("camera", node)
    ask("systemctl", "start", "rig-simulated@camera.service")


def camera_pulled(world: World) -> str:
    """The camera's node goes away and comes back with another number."""
    lost_s = pull_camera(world)
    need(not Path("/dev/video0").exists(), "/dev/video0 is still there")
    need(pin(RECORDING_PIN), "the recording LED went out although the microphone is open")
    tell("scene", "happy")
    plug_camera(OTHER_NODE)
    back_s = wait_for("the camera", lambda: world.ear.state("face") == "ok", BACK_S)
    face_s, _ = world.wait_for_face("happy", SEEN_S)
    return (
        f"writer killed and driver unloaded: said after {lost_s:.1f} s; as {OTHER_NODE} back "
        f"{back_s:.1f} s after it was there, happy face after {back_s + face_s:.1f} s"
    )


def pull_microphone(world: World) -> float:
    """Take the driver from the card; seconds until Mien says that it is lost."""
    subprocess.Popen(["sh", "-c", "echo snd_aloop.0 > /sys/bus/platform/drivers/snd_aloop/unbind"])
    ask("systemctl", "stop", "rig-simulated@microphone.service")
    return wait_for("the loss", lambda: world.ear.state("voice") == "lost", LOST_S)


def plug_microphone() -> None:
    def bound() -> bool:
        return Path("/sys/bus/platform/drivers/snd_aloop/snd_aloop.0").exists()

    wait_for("the card's end", lambda: not bound(), LOST_S)
    Path("/sys/bus/platform/drivers/snd_aloop/bind").write_text("snd_aloop.0")
    ask("systemctl", "start", "rig-simulated@microphone.service")


def microphone_pulled(world: World) -> str:
    """The sound card goes away and comes back."""
    lost_s = pull_microphone(world)
    wait_for(
        "the mark on the display",
        lambda: "microphone lost" in shown(world.faces).icons,
        BACK_S,
    )
    plug_microphone()
    back_s = wait_for("the microphone", lambda: world.ear.state("voice") == "ok", BACK_S)
    tell("sound", "speech")
    heard_s = wait_for("a voice", lambda: world.ear.present("voice"), SEEN_S)
    tell("sound", "quiet")
    return (
        f"driver unbound: said after {lost_s:.1f} s, marked on the display; back {back_s:.1f} s after "
        f"it was bound again, a voice heard {heard_s:.1f} s later"
    )


def nothing_left(world: World) -> str:
    """Both are gone."""
    pull_camera(world)
    pull_microphone(world)
    fault_s, _ = world.wait_for_face("fault", LOST_S)
    need(not pin(RECORDING_PIN), "the recording LED is on with no sensor open")
    plug_microphone()
    tell("scene", "happy")
    plug_camera("/dev/video0")
    face_s = wait_for("the camera", lambda: world.ear.state("face") == "ok", BACK_S)
    voice_s = wait_for("the microphone", lambda: world.ear.state("voice") == "ok", BACK_S)
    need(pin(RECORDING_PIN), "the recording LED is off with sensors open")
    return (
        f"the face of a fault after {fault_s:.1f} s, recording LED off; both back within "
        f"{face_s + voice_s:.1f} s, recording LED on"
    )


def display_mute(world: World) -> str:
    """The display does not answer its address for a while."""
    said = _display_away(world, "mute")
    tell("bus", "well")
    return f"{said}; back after {_picture_comes():.1f} s"


def bus_gone(world: World) -> str:
    """The whole bus of the display is unplugged, and plugged in again."""
    said = _display_away(world, "gone")
    gone_s = wait_for("the bus' end", lambda: not BUS.exists(), UNPLUGGED_S)
    tell("bus", "well")
    wait_for("the bus", BUS.exists, UNPLUGGED_S)
    return f"{said}; bus away after {gone_s:.1f} s; back {_picture_comes():.1f} s after the bus"


def display_flaky(world: World) -> str:
    """One of twenty transfers is broken off somewhere in the middle."""
    lost = len(world.ear.notices_of("display"))
    before = int(wish("refused", "0"))
    tell("bus", "flaky")
    tell("scene", "happy")
    took_s, seen = world.wait_for_face("happy", SEEN_S)
    wait_for("broken transfers", lambda: int(wish("refused", "0")) - before >= REFUSED, FLAKY_S)
    _, after = world.wait_for_face("happy", SEEN_S)
    tell("bus", "well")
    refused = int(wish("refused", "0")) - before
    need(len(world.ear.notices_of("display")) == lost, "it was given up for lost")
    return (
        f"{refused} transfers broken off, none of them told of; happy face after {took_s:.1f} s, "
        f"{max(seen.apart, after.apart):.0%} of the lit pixels apart"
    )


def display_moved(world: World) -> str:
    """It is unplugged, and plugged in again at 0x3D on another bus; then back."""
    said = _display_away(world, "moved")
    wait_for("the other bus", OTHER_BUS.exists, UNPLUGGED_S)
    moved_s = _picture_comes()
    place = f"0x3D on I2C bus {OTHER_BUS.name.removeprefix('i2c-')}"
    lines = [line for line in journal() if place in line]
    need(bool(lines), f"the journal does not say {place}")
    told = lines[-1][lines[-1].index("The display") :]
    lost = len(world.ear.notices_of("display"))
    tell("bus", "well")
    wait_for("a notice", lambda: len(world.ear.notices_of("display")) > lost, UNPLUGGED_S)
    return (
        f'{said}; found after {moved_s:.1f} s, said "{told}"; back after {_picture_comes():.1f} s'
    )


def _display_away(world: World, state: str) -> str:
    before = len(world.ear.notices_of("display"))
    tell("bus", state)
    wait_for("a notice", lambda: len(world.ear.notices_of("display")) > before, LOST_S)
    return f'said "{world.ear.notices_of("display")[before].partition(":")[0]}"'


def _picture_comes() -> float:
    put_s = time.monotonic()
    return wait_for("a picture", lambda: any(any(one.pages) for one in pictures(put_s)), BACK_S)


def survived(world: World) -> str:
    """All of that by the same process, without a restart."""
    need(main_pid() == world.pid, "another process runs than in the beginning")
    need(show("NRestarts") == "0", f"{show('NRestarts')} restarts")
    lines = journal()
    need(not any("Traceback" in line for line in lines), "a traceback is in the journal")
    return (
        f"the process of the beginning, no restart; no traceback in {len(lines)} lines of journal"
    )


def too_little_memory(world: World) -> str:
    """The kernel ends it at each start; then it has its memory again, and sees and shows."""
    said = out_of_memory(KILLED)
    tell("scene", "happy")
    took_s, _ = world.wait_for_face("happy", SEEN_S)
    how = "MemoryMax= of cgroup v2" if CONTROLLERS.is_file() else "cgroup v1"
    return f"by {how}; {said}; happy face {took_s:.1f} s later"
