"""Which board this is."""

from pathlib import Path


def board_name(root: Path = Path("/")) -> str:
    """What the board calls itself, such as "Raspberry Pi 5 Model B Rev 1.0"; empty on a PC."""
    try:
        model = (root / "proc/device-tree/model").read_bytes()
    except OSError:
        return ""
    return model.decode("utf-8", "replace").rstrip("\0").strip()
