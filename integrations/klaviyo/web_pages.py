"""Where people look at a profile or a list in Klaviyo itself.

klaviyo.com/profile/<id> and klaviyo.com/list/<id> are the addresses that Klaviyo's own pages have; the
practice stand-in answers the same paths at its own address.
"""

from urllib.parse import quote

from portal.runtime.outgoing import is_this_machine

_SITE = "https://www.klaviyo.com"


def profile(base_url: str, remote_id: str) -> str:
    return _page(base_url, "profile", remote_id)


def remote_list(base_url: str, list_id: str) -> str:
    return _page(base_url, "list", list_id)


def _page(base_url: str, kind: str, remote_id: str) -> str:
    if not remote_id:
        return ""
    site = base_url.rstrip("/") if is_this_machine(base_url) else _SITE
    return f"{site}/{kind}/{quote(remote_id, safe='')}"
