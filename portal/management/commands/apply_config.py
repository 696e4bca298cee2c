"""Make tenants match YAML files (docs/configuration.md)."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from integrations.configuration import applying, reading
from integrations.configuration.problems import ConfigProblems, Document
from portal.management.arguments import USAGE
from portal.tenancy.secrets import UnreadableSecret


class Command(BaseCommand):
    help = (
        "Creates or changes tenants to match YAML files, each in one transaction, and prints what changed. "
        "Calls nobody. Exit status: 0 applied, 1 a file has problems (nothing of it is written), 2 wrong use."
    )

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would change, and change nothing"
        )

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        texts = [(str(file), _text(file)) for file in options["files"]]
        try:
            documents = _read(texts)
            done = applying.apply_all(documents, dry_run=options["dry_run"])
        except ConfigProblems as error:
            listed = "\n".join(f"  {problem}" for problem in error.problems)
            raise CommandError(
                f"{error.source} cannot be applied; nothing of it was written:\n{listed}"
            ) from None
        except UnreadableSecret as error:
            raise CommandError(str(error)) from None
        for (name, _), changes in zip(texts, done, strict=True):
            if len(texts) > 1:
                self.stdout.write(f"{name}:")
            for line in changes.lines():
                self.stdout.write(line)
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was written.")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CommandError(f"{file} cannot be read: {reason}.", returncode=USAGE) from error


def _read(texts: list[tuple[str, str]]) -> list[Document]:
    return [reading.read(text, os.environ, source=name) for name, text in texts]
