"""Files that one run leaves for the next, in folders that others may write to."""

from pathlib import Path

from convert.atomic_files import write_json, written_whole


def test_a_part_follows_no_link_that_waits_there_and_is_private(tmp_path: Path) -> None:
    precious, kept = tmp_path / "precious", tmp_path / "kept.json"
    precious.write_text("mine")
    (tmp_path / "kept.json.part").symlink_to(precious)
    write_json({"a": 1}, kept)
    assert precious.read_text() == "mine"
    assert kept.read_text() == '{\n "a": 1\n}\n'
    with written_whole(kept) as partial:
        assert partial.stat().st_mode & 0o777 == 0o600
