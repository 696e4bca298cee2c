"""The import rules of the house, as a table (docs/architecture.md)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HOUSE = ("portal", "loyalty", "integrations")

# The roof: where everything is put together. It may import all.
ROOF = (
    "portal.settings",
    "portal.urls",
    "portal.views",
    "portal.api",
    "portal.wsgi",
    "portal.checks",
    "portal.admin_site",
    "portal.admin_index",
    "portal.demo",
    "portal.management",
)

# (who, must not import, why). `who` and `what` are module prefixes.
FORBIDDEN = [
    ("portal.tenancy", ("loyalty", "integrations"), "the ground knows nothing of what stands on it"),
    ("portal.runtime", ("loyalty", "integrations", "portal.tenancy"), "the ground knows nothing of ours above it"),
    ("loyalty", ("integrations",), "the programme does not know who is told of it"),
    ("loyalty.rules", ("django", "loyalty.models", "loyalty.services", "portal"), "rules are pure"),
    ("loyalty.models", ("loyalty.services", "loyalty.api", "loyalty.admin", "loyalty.views"), "imports point down"),
    ("loyalty.services", ("loyalty.api", "loyalty.admin", "loyalty.views", "loyalty.importing"), "imports point down"),
    ("integrations.errors", ("django", "requests"), "the error tree is pure"),
    ("integrations.gateway.buckets", ("django",), "the arithmetic is pure"),
    ("integrations.planning.merge", ("django", "requests"), "whose value wins is pure"),
    ("integrations.planning.retries", ("django", "requests"), "retry decisions are pure"),
    ("integrations.planning.manifest", ("django", "requests"), "the manifest is pure"),
    ("integrations.gateway", ("integrations.planning", "integrations.services"), "imports point down"),
    ("integrations.models", ("integrations.planning", "integrations.services"), "imports point down"),
    ("integrations.planning", ("integrations.services", "integrations.klaviyo"), "imports point down"),
    ("integrations.services", ("integrations.admin", "integrations.views", "integrations.api"), "imports point down"),
    ("integrations.klaviyo.sandbox", ("django", "portal", "loyalty", "integrations.models", "integrations.services"),
     "the sandbox stands alone"),
    ("integrations.klaviyo.payloads", ("django", "requests"), "payloads are pure"),
    ("integrations.klaviyo.protocol", ("django", "requests"), "the protocol is pure"),
]  # fmt: skip


def modules() -> Iterator[tuple[str, Path]]:
    for top in HOUSE:
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(name: str, path: Path) -> Iterator[str]:
    """Every module that the file imports, with names imported from a package as its submodules."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                root = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*root, *([base] if base else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def is_below(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


ALL = list(modules())


@pytest.mark.parametrize(
    ("who", "what", "why"), FORBIDDEN, ids=lambda value: value if isinstance(value, str) else ""
)
def test_imports_point_down(who: str, what: tuple[str, ...], why: str) -> None:
    broken = [
        f"{name} imports {found}"
        for name, path in ALL
        if is_below(name, who)
        for found in imports(name, path)
        if any(is_below(found, prefix) for prefix in what)
        # Settings are how the ground is told; models of the ground are what everybody stands on.
        and not (who == "loyalty.rules" and found.startswith("django.utils"))
    ]
    assert not broken, f"{why}: {broken}"


def test_only_the_roof_of_the_portal_knows_what_stands_on_it() -> None:
    broken = [
        f"{name} imports {found}"
        for name, path in ALL
        if name.startswith("portal.") and not any(is_below(name, roof) for roof in ROOF)
        for found in imports(name, path)
        if is_below(found, "integrations") or is_below(found, "loyalty")
    ]
    assert not broken


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("requests", ("integrations.klaviyo",)),
        ("authlib", ("integrations.klaviyo",)),
        (
            "django_q",
            ("portal.runtime.queue", "portal.runtime.schedules", "portal.admin_site", "portal.admin_index"),
        ),
    ],
)
def test_some_libraries_have_one_door(library: str, allowed: tuple[str, ...]) -> None:
    broken = [
        f"{name} imports {found}"
        for name, path in ALL
        if not any(is_below(name, prefix) for prefix in allowed)
        for found in imports(name, path)
        if is_below(found, library)
    ]
    assert not broken


def test_nothing_outside_its_folder_names_klaviyo() -> None:
    """But one app line and one settings entry, the variables of settings, and what the demo connects."""
    allowed = ("integrations.klaviyo", "portal.settings", "portal.checks", "portal.demo", "portal.management")
    named = [
        name
        for name, path in ALL
        if not any(is_below(name, prefix) for prefix in allowed)
        and any("integrations.klaviyo" in found for found in imports(name, path))
    ]
    assert not named


@pytest.mark.parametrize("name", ["utils.py", "helpers.py", "common.py", "misc.py"])
def test_no_module_without_a_noun(name: str) -> None:
    assert not [str(path) for _, path in ALL if path.name == name]


def test_ids_are_given_to_the_database_in_their_own_type() -> None:
    """Small numbers travel as int4[], and `int8 = ANY(int4[])` compares every row with every id."""
    texts = ("external_id = ANY", "idempotency_key = ANY")
    bare = [
        f"{name}: {line.strip()}"
        for name, path in ALL
        if "sandbox" not in name
        for line in path.read_text().splitlines()
        if "ANY(%s)" in line and not any(text in line for text in texts)
    ]
    assert not bare
