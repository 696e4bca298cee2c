"""A worker of its own process, for tests that kill it: `python -m … DATABASE EXTENSION_ID`."""

import os
import sys
import time

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"


def main(database: str, extension_id: int) -> None:
    import django
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = database
    settings.BEAT_SECONDS = 0.3
    settings.BEAT_STALE_SECONDS = 1
    django.setup()

    from integrations import tasks
    from integrations.services import clock

    while True:
        clock.tick()
        tasks.work_bulk(extension_id)
        tasks.work_live(extension_id)
        time.sleep(0.02)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
