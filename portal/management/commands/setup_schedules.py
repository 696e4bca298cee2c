"""Write the apps' schedules into the queue's table."""

from typing import Any

from django.core.management.base import BaseCommand

from portal.runtime import schedules


class Command(BaseCommand):
    help = "Makes the schedules match the apps' schedules.py. `migrate` and `worker` do the same."

    def handle(self, *args: Any, **options: Any) -> None:
        count, removed = schedules.apply()
        self.stdout.write(f"{count} schedules in place, {removed} removed.")
