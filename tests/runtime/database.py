"""The address of the test's own database, for processes that the test starts."""

from urllib.parse import quote

from django.db import connection


def url() -> str:
    found = connection.settings_dict
    who = quote(found["USER"]) + (f":{quote(found['PASSWORD'])}" if found["PASSWORD"] else "")
    if found["HOST"].startswith("/"):
        return f"postgres://{who}@/{found['HOST']}/{found['NAME']}"
    port = f":{found['PORT']}" if found["PORT"] else ""
    return f"postgres://{who}@{found['HOST']}{port}/{found['NAME']}"
