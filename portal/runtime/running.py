"""What a running `manage.py up` gave its children, for commands typed beside it.

Without it, `sync --wait` in a second terminal would ask another Klaviyo than the worker does.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

FILE = "running.json"


def write(data_dir: Path, values: Mapping[str, str]) -> None:
    """Say which values the portal of this data folder runs with, for as long as this process lives."""
    data_dir.mkdir(parents=True, exist_ok=True)
    (data_dir / FILE).write_text(json.dumps({"pid": os.getpid(), "values": dict(values)}))


def remove(data_dir: Path) -> None:
    (data_dir / FILE).unlink(missing_ok=True)


def values(data_dir: Path) -> dict[str, str]:
    """Return those values, or nothing where no such process lives: a stale file decides nothing."""
    try:
        found = json.loads((data_dir / FILE).read_text())
        os.kill(int(found["pid"]), 0)
        return {str(name): str(value) for name, value in found["values"].items()}
    except PermissionError:  # alive, and somebody else's
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
