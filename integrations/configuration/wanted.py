"""What a file asks for, checked: plain values without the database."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from loyalty.rules.tiers import Step
from portal.tenancy.secrets import Secret


@dataclass(frozen=True)
class WantedTenant:
    """None: left as it is, or the usual value for a new tenant."""

    slug: str
    name: str | None = None
    timezone: str | None = None
    currency: str | None = None


@dataclass(frozen=True)
class WantedUser:
    email: str
    role: str
    password: Secret | None = None


@dataclass(frozen=True)
class WantedAudience:
    """`rule` None: kept by hand."""

    slug: str
    name: str
    rule: object = None


@dataclass(frozen=True)
class WantedAuth:
    """`secret` None with oauth: connected in the browser."""

    method: str
    secret: Secret | None = None


@dataclass(frozen=True)
class WantedField:
    field: str
    property: str
    policy: str = ""


@dataclass(frozen=True)
class WantedEvent:
    metric: str
    enabled: bool = True


@dataclass(frozen=True)
class WantedList:
    """`path` is where the file says it: for problems that only the database shows."""

    audience: str
    list: str
    create: bool = True
    remove_leavers: bool = True
    paused: bool = False
    path: str = field(default="", compare=False)


@dataclass(frozen=True)
class WantedExtension:
    """`active` and `auth` None: left as they are; all else that the file leaves out has its usual value."""

    name: str
    destination: str
    active: bool | None = None
    auth: WantedAuth | None = None
    merge_policy: str = ""
    only_opted_in: bool = False
    events_enabled: bool = True
    base_url: str = ""
    revision: str = ""
    throttle_share: int = 80
    fields: tuple[WantedField, ...] = ()
    events: Mapping[str, WantedEvent] = field(default_factory=dict)
    lists: tuple[WantedList, ...] = ()
    path: str = field(default="", compare=False)


@dataclass(frozen=True)
class Wanted:
    """A whole file. Rows of the tenant that are not named are left alone."""

    tenant: WantedTenant
    users: tuple[WantedUser, ...] = ()
    tiers: tuple[Step, ...] = ()
    audiences: tuple[WantedAudience, ...] = ()
    extensions: tuple[WantedExtension, ...] = ()
