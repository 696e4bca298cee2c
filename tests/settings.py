"""The portal's settings with what differs under test.

They are a module, not fixtures, because pytest-django reads settings before it reads conftest.py.
"""

import os
import re

os.environ.setdefault("DATA_DIR", ".data-test")

from portal.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {  # noqa: F405
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
WHITENOISE_AUTOREFRESH = True  # reads the static files where they are: no collectstatic before tests
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# Sessions with different data folders may share one server through DATABASE_URL.
_session = re.sub(r"\W", "_", os.environ.get("TEST_DATABASE_SUFFIX", ""))
if _session:
    DATABASES["default"]["TEST"] = {"NAME": f"test_portal_{_session}"}  # noqa: F405
BEAT_SECONDS = 0  # leases are owned without a thread that writes beside a test's transaction
