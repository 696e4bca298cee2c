"""Joins and leaves that the destination refuses: the person's trouble, the list's, or ours."""

import math
from types import SimpleNamespace

import pytest

from integrations.errors import AuthenticationError, ListRefused, RateLimited, Refusal, RowsRejected
from integrations.models import AudienceMapping, Health, SentMembership, SyncBatch, SyncRow, SyncRun
from tests.factories import make_audience, make_tenant
from tests.services.builders import drain, people, put_in, run, take_out
from tests.services.conftest import Connect

pytestmark = pytest.mark.django_db


@pytest.fixture
def gold(connect: Connect, monkeypatch):
    """A connection with 64 members who are there and not yet on the list, and their audience."""
    monkeypatch.setattr("integrations.services.course.audiences.refresh", refreshed)
    tenant = make_tenant()
    audience = make_audience(tenant)
    extension = connect(tenant, lists={audience: "Gold"})
    members = people(tenant, 64)
    run(extension)
    return extension, audience, members


def refreshed(tenant, seconds):
    return SimpleNamespace(is_complete=True)


def unnamed(remote, *numbers):
    bad = {pk for pk, one in remote.profiles.items() if one["values"]["external_id"] in numbers}

    def check(detail):
        return RowsRejected("One of them is not good.", code="vague") if bad & set(detail[1]) else None

    return check


@pytest.mark.parametrize("bad", [("M-0",), ("M-7", "M-63"), ("M-3", "M-4", "M-40")])
def test_joins_refused_without_names_are_halved(gold, remote, bad):
    extension, audience, members = gold
    remote.checks["join_list"] = unnamed(remote, *bad)
    put_in(audience, *members)
    drain(extension)
    assert len(remote.members("Gold")) == 64 - len(bad)
    refused = SyncRow.objects.filter(verdict="rejected", code="vague", words="One of them is not good.")
    assert set(refused.values_list("member__external_id", flat=True)) == set(bad)
    assert remote.count("join_list") <= 2 * len(bad) * math.log2(64) + 2
    assert not SentMembership.objects.filter(in_flight__isnull=False).exists()
    assert SentMembership.objects.count() == 64 - len(bad)


def test_leaves_refused_without_names_are_halved(gold, remote):
    extension, audience, members = gold
    put_in(audience, *members)
    drain(extension)
    remote.checks["leave_list"] = unnamed(remote, "M-9")
    take_out(audience, *members)
    drain(extension)
    assert remote.members("Gold") == ["M-9"]
    assert remote.count("leave_list") <= 2 * math.log2(64) + 2


def test_a_limit_in_the_middle_keeps_what_was_found_out(gold, remote):
    extension, audience, members = gold
    remote.checks["join_list"] = unnamed(remote, "M-0")
    remote.fail("join_list", None, RateLimited("Slowly.", seconds=1))
    put_in(audience, *members)
    drain(extension)
    assert len(remote.members("Gold")) == 63
    assert remote.count("join_list") <= 2 * math.log2(64) + 4
    assert sum(SyncBatch.objects.filter(kind="joins").values_list("rows", flat=True)) == 64


def test_a_key_that_fails_in_the_middle_pauses_the_connection(gold, remote):
    extension, audience, members = gold
    remote.checks["join_list"] = unnamed(remote, "M-0")
    remote.fail("join_list", None, AuthenticationError("No."))
    put_in(audience, *members)
    drain(extension)
    assert extension.health == Health.ATTENTION


@pytest.mark.parametrize("error", [ListRefused("It is a segment."), RowsRejected("It is a segment.")])
def test_a_list_that_takes_nobody_is_its_mappings_problem(gold, remote, error):
    extension, audience, members = gold
    remote.checks["join_list"] = lambda _: error
    put_in(audience, *members)
    drain(extension)
    assert extension.health != Health.ATTENTION
    problem = AudienceMapping.objects.get().problem
    assert "“Gold” cannot be changed: It is a segment." in problem
    assert remote.count("join_list") <= 30
    assert SyncRun.objects.get(kind="live").failed >= 54


def test_ids_that_are_unknown_again_and_again_fail_alone(gold, remote):
    extension, audience, members = gold
    (bad,) = [pk for pk, one in remote.profiles.items() if one["values"]["external_id"] == "M-5"]
    refusal = Refusal("unknown", "Unknown id.", identifiers=(bad,))
    remote.checks["join_list"] = lambda detail: (
        RowsRejected("Unknown.", [refusal]) if bad in detail[1] else None
    )
    put_in(audience, *members)
    drain(extension)
    assert len(remote.members("Gold")) == 63
    assert SyncRow.objects.get(code="unknown_ids").member.external_id == "M-5"
    assert remote.count("join_list") == 3
