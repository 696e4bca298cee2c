"""What the frame of a merchant page says of the tenant's connections."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from integrations.models import Extension, Health


def connections(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `connection_state`, asked of the database only when a page draws it."""
    tenant = getattr(request, "tenant", None)
    if tenant is None:
        return {}

    def state() -> dict[str, Any]:
        mine = list(Extension.objects.for_tenant(tenant).defer("secret", "refresh_token"))
        active = [extension for extension in mine if extension.is_active]
        return {
            "practice": [extension for extension in mine if extension.is_practice],
            "has_any": bool(mine),
            "has_active": bool(active),
            "attention": [extension for extension in active if extension.health == Health.ATTENTION],
        }

    return {"connection_state": SimpleLazyObject(state)}
