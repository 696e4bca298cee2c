"""What gunicorn serves: `gunicorn portal.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

from portal.runtime import local_database

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
local_database.keep_available()
application = get_wsgi_application()
