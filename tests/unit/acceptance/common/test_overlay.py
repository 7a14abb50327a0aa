"""Where something is mounted, by what the kernel lists."""

from pathlib import Path

from tests.acceptance.common.overlay import is_mounted


def test_mounts_are_found_at_and_below_a_folder_only(tmp_path: Path) -> None:
    folder = tmp_path / "a b"
    escaped = str(folder).replace(" ", "\\040")
    assert is_mounted(folder, f"proc {escaped}/proc proc rw 0 0\n")
    assert is_mounted(folder, f"mien-rig {escaped} overlay rw 0 0\n")
    assert not is_mounted(folder, f"x {escaped}c overlay rw 0 0\nproc /proc proc rw 0 0\n")
