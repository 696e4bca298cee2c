"""A command typed beside a running portal speaks to the same Klaviyo."""

import json
from pathlib import Path

from portal.runtime import running


def test_what_a_living_process_said_is_told(tmp_path: Path) -> None:
    running.write(tmp_path, {"KLAVIYO_API_URL": "http://127.0.0.1:8400"})
    assert running.values(tmp_path) == {"KLAVIYO_API_URL": "http://127.0.0.1:8400"}
    running.remove(tmp_path)
    assert running.values(tmp_path) == {}


def test_a_file_left_behind_by_a_dead_process_decides_nothing(tmp_path: Path) -> None:
    (tmp_path / running.FILE).write_text(json.dumps({"pid": 2**22 + 1, "values": {"KLAVIYO_API_URL": "x"}}))
    assert running.values(tmp_path) == {}
    (tmp_path / running.FILE).write_text("{")
    assert running.values(tmp_path) == {}
