from pathlib import Path

from edge.hardware.board import board_name


def test_reads_the_name_of_the_board(tmp_path: Path) -> None:
    assert board_name(tmp_path) == ""
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "proc/device-tree/model").write_bytes(b"Raspberry Pi 5 Model B Rev 1.0\0")
    assert board_name(tmp_path) == "Raspberry Pi 5 Model B Rev 1.0"
