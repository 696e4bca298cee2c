import pytest
from django.utils import timezone

from integrations.configuration import exporting
from integrations.models import AudienceMapping, Extension
from portal.tenancy.models import Tenant
from tests.configuration.files import ACME, KEY, PASSWORD, apply
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def test_what_is_exported_applies_again_and_changes_nothing():
    apply()
    Extension.objects.update(throttle_share=60, base_url="http://127.0.0.1:8400", revision="2026-07-15")
    text = exporting.export(Tenant.objects.get())
    assert apply(text) == ["acme: nothing to change"]


def test_secrets_are_named_and_not_shown():
    apply()
    text = exporting.export(Tenant.objects.get())
    assert "${ACME_KLAVIYO_KEY}" in text
    assert "${ACME_OWNER_PASSWORD}" in text
    assert KEY not in text
    assert PASSWORD not in text


def test_an_export_makes_the_same_tenant_elsewhere():
    apply()
    text = exporting.export(Tenant.objects.get())
    Tenant.objects.all().delete()
    apply(text)
    assert exporting.export(Tenant.objects.get()) == text


def test_names_that_look_like_variables_or_numbers_survive():
    apply(ACME.replace("name: Acme Coffee", "name: '$${HOME} 5'").replace("name: Press", "name: 'NO'"))
    assert Tenant.objects.get().name == "${HOME} 5"
    assert apply(exporting.export(Tenant.objects.get())) == ["acme: nothing to change"]


def test_two_people_of_one_name_have_a_variable_each():
    apply()
    make_user(Tenant.objects.get(), email="owner@other.example")
    text = exporting.export(Tenant.objects.get())
    assert "${ACME_OWNER_PASSWORD_2}" in text


def test_a_tenant_with_nothing_is_exported():
    apply("tenant: {slug: acme}")
    assert apply(exporting.export(Tenant.objects.get())) == ["acme: nothing to change"]


def test_a_list_that_is_being_unlinked_is_not_part_of_the_file():
    apply()
    assert "VIP Customers" in exporting.export(Tenant.objects.get())
    AudienceMapping.objects.update(ending_at=timezone.now())
    assert "VIP Customers" not in exporting.export(Tenant.objects.get())
