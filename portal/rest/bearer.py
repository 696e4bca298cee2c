"""Who calls: a tenant's token in the Authorization header."""

from django.http import HttpRequest
from ninja.security import HttpBearer

from portal.rest.problems import Problem
from portal.tenancy import tokens
from portal.tenancy.models import ApiToken, Tenant


class ApiTokenBearer(HttpBearer):
    """Sets `request.tenant` to the token's tenant: the only door to a tenant's data in this API."""

    def __call__(self, request: HttpRequest) -> ApiToken:
        scheme, _, text = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            raise _unauthorised("Send your API token as “Authorization: Bearer lp_…”.", 'Bearer realm="api"')
        return self.authenticate(request, text.strip())

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken:
        found = tokens.find(token)
        if found is None:
            challenge = 'Bearer realm="api", error="invalid_token"'
            raise _unauthorised("This API token is unknown or was revoked.", challenge)
        request.tenant = found.tenant  # type: ignore[attr-defined]
        return found


def tenant_of(request: HttpRequest) -> Tenant:
    tenant = getattr(request, "tenant", None)
    if not isinstance(tenant, Tenant):
        raise TypeError("This view was reached without a token.")
    return tenant


def _unauthorised(detail: str, challenge: str) -> Problem:
    return Problem(401, "unknown-token", detail, headers={"WWW-Authenticate": challenge})
