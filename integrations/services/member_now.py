"""What a destination has of one member at this moment: read on demand, kept nowhere."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from integrations.errors import DestinationError
from integrations.gateway.values import RemoteProfile
from integrations.models import Extension
from integrations.planning import merge
from integrations.services import composing, connections
from integrations.services.member_standing import Standing


@dataclass(frozen=True)
class Now:
    """What was read. `error` says in words why nothing could be; `theirs` is empty where nobody is there."""

    read_at: datetime
    theirs: merge.Flat | None = None
    remote_id: str = ""
    subscription: str = ""
    error: str = ""

    @property
    def is_there(self) -> bool:
        return bool(self.remote_id)


def read(standing: Standing) -> Now:
    """Ask the destination, by its own id where that is known: one call. Never raises for what it answers."""
    try:
        profile = _find(standing)
    except DestinationError as error:
        return Now(timezone.now(), error=error.words)
    if profile is None:
        return Now(timezone.now(), theirs={})
    theirs = merge.flatten({**profile.values, "properties": dict(profile.properties)})
    return Now(timezone.now(), theirs, profile.remote_id, _subscription(profile, standing.name))


def _find(standing: Standing) -> RemoteProfile | None:
    extension = Extension.objects.get(pk=standing.extension.pk)  # with its secret, which pages do not load
    channel = connections.open_channel(extension)
    if standing.sent and standing.sent.remote_id:
        found = channel.read_profiles("remote_id", [standing.sent.remote_id])
        if found:
            return found[0]
    return composing.find_remote(channel, [(standing.member.pk, standing.wanted)]).get(standing.member.pk)


def _subscription(profile: RemoteProfile, name: str) -> str:
    """Whether the destination would mail them, in words; empty where it did not say."""
    if profile.has_subscribed is None or profile.may_receive_email is None:
        return ""
    if not profile.may_receive_email:
        return f"{name} will not mail them: their address is suppressed there, or they unsubscribed."
    if not profile.has_subscribed:
        return (
            f"{name} has no subscription of theirs: they never subscribed there, so campaigns leave them out."
        )
    return f"{name} has their subscription to e-mail marketing."
