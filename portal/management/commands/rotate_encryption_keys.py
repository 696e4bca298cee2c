"""Encrypt every stored secret again under the first of ENCRYPTION_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal import secret_rows


class Command(BaseCommand):
    help = (
        "Put the new key first in ENCRYPTION_KEYS and keep the old one behind it, restart, run this, "
        "then take the old key away. Safe to repeat."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        unreadable = 0
        for result in secret_rows.rotate():
            unreadable += result.unreadable
            self.stdout.write(
                f"{result.column}: {result.rotated} encrypted again, {result.already} were already, "
                f"{result.unreadable} unreadable"
            )
        if unreadable:
            raise CommandError(
                f"{unreadable} secrets fit none of the keys in ENCRYPTION_KEYS: nothing was lost."
            )
