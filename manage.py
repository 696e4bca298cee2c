#!/usr/bin/env python
"""Django's command line for the portal."""

import os
import sys

# Commands that need no database: for these the embedded PostgreSQL is not started.
WITHOUT_DATABASE = {"collectstatic", "compilemessages", "help", "klaviyo_sandbox", "makemessages", "version"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    try:
        from django.core.management import execute_from_command_line
    except ModuleNotFoundError as error:
        if error.name != "django":
            raise
        sys.exit("The packages are not here. Use .venv/bin/python manage.py …, or run “make run” once.")
    if len(sys.argv) < 2 or sys.argv[1] in WITHOUT_DATABASE or "--help" in sys.argv:
        execute_from_command_line(sys.argv)
        return
    from portal.runtime import local_database

    with local_database.available():
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
