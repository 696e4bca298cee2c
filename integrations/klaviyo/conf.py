"""What is fixed about Klaviyo, and what the settings say about it."""

from typing import Final

from django.conf import settings

USER_AGENT: Final = "loyalty-portal/0.1 (self-hosted)"
MEDIA_TYPE: Final = "application/vnd.api+json"

# Seconds to connect, seconds without a byte. A batch's lease (settings.LEASE_SECONDS) outlasts both.
TIMEOUT: Final = (5.0, 30.0)
# A page of 100 profiles of 100 KB each is 10 MB; more than this is no answer of Klaviyo's.
MAX_ANSWER_BYTES: Final = 32_000_000

# Warn when the revision in use goes away in fewer days than this.
RETIREMENT_NOTICE_DAYS: Final = 180


def default_base_url() -> str:
    return str(settings.KLAVIYO_API_URL).rstrip("/")


def default_revision() -> str:
    return str(settings.KLAVIYO_REVISION)
