"""Take work from the queue: two supervised qclusters, the tick and the schedules."""

from typing import Any

from django.core.management.base import BaseCommand

from portal.runtime.supervisor import Supervisor


class Command(BaseCommand):
    help = "Runs the background work until it is stopped. Run as many as you like, on as many machines."

    def handle(self, *args: Any, **options: Any) -> None:
        Supervisor().run()
