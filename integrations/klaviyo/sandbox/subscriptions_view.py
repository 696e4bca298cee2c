"""`additional-fields[profile]=subscriptions`: consent and suppression of a profile as Klaviyo shows them."""

from __future__ import annotations

from typing import Any

from integrations.klaviyo.sandbox import ids
from integrations.klaviyo.sandbox.store import consent
from integrations.klaviyo.sandbox.store.profiles import Profile
from integrations.klaviyo.sandbox.values import stamp

Suppression = tuple[int, str, int]


def subscriptions(profile: Profile, suppressed: list[Suppression]) -> dict[str, Any]:
    return {
        "email": {"marketing": _email(profile, suppressed)},
        "sms": {
            "marketing": _channel(profile, "sms.marketing", "can_receive_sms_marketing"),
            "transactional": _channel(profile, "sms.transactional", "can_receive_sms_transactional"),
        },
        "mobile_push": {"marketing": _channel(profile, "push.marketing", "can_receive_push_marketing")},
        "whatsapp": {
            name: _channel(profile, f"whatsapp.{name}", "can_receive")
            for name in ("marketing", "transactional", "conversational")
        },
    }


def _email(profile: Profile, suppressed: list[Suppression]) -> dict[str, Any]:
    held = profile.consent.get("email.marketing", {})
    everywhere = [entry for entry in suppressed if not entry[0]]
    by_list = [entry for entry in suppressed if entry[0]]
    return {
        # Says "not suppressed" only: it is true for people who never subscribed (OpenAPI description).
        "can_receive_email_marketing": not everywhere and held.get("consent") != consent.UNSUBSCRIBED,
        "consent": held.get("consent", consent.NEVER),
        "consent_timestamp": stamp(held.get("consent_timestamp")),
        "last_updated": stamp(held.get("last_updated")),
        "method": held.get("method"),
        "method_detail": held.get("method_detail"),
        "custom_method_detail": held.get("custom_method_detail"),
        "double_optin": held.get("double_optin"),
        "suppression": [{"reason": reason, "timestamp": stamp(at)} for _, reason, at in everywhere],
        "list_suppressions": [
            {"list_id": ids.short_id(list_n, "list"), "reason": reason, "timestamp": stamp(at)}
            for list_n, reason, at in by_list
        ],
    }


def _channel(profile: Profile, name: str, flag: str) -> dict[str, Any]:
    held = profile.consent.get(name, {})
    return {
        flag: held.get("consent") == consent.SUBSCRIBED,
        "consent": held.get("consent", consent.NEVER),
        "consent_timestamp": stamp(held.get("consent_timestamp")),
        "last_updated": stamp(held.get("last_updated")),
        "method": held.get("method"),
        "method_detail": held.get("method_detail"),
        "metadata": {},
    }
