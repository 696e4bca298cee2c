"""docs/settings.md is complete: every variable that settings.py reads has its line."""

import re

from django.conf import settings

READ = re.compile(r"env\.\w+\(\s*\"([A-Z_0-9]+)\"")


def test_every_variable_has_a_line_and_every_line_a_variable() -> None:
    read = set(READ.findall((settings.BASE_DIR / "portal" / "settings.py").read_text()))
    text = (settings.BASE_DIR / "docs" / "settings.md").read_text()
    described = set(re.findall(r"^\| `([A-Z_0-9]+)` \|", text, re.MULTILINE))
    assert read - described == set(), "not in docs/settings.md"
    assert described - read == set(), "no longer read by settings.py"
