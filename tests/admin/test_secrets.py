import pytest
from django.contrib.auth.models import Permission

from integrations.models import Extension
from portal.tenancy.models import ApiToken
from tests.factories import make_tenant, make_user
from tests.pages.builders import SECRET, make_extension

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(client):
    root = make_user(is_staff=True, is_superuser=True)
    client.force_login(root)
    return root


def form_of(answer) -> dict[str, object]:
    """What a browser would send back from an admin page."""
    sent: dict[str, object] = {}
    admin_form = answer.context["adminform"].form
    for form in [admin_form, *(f.formset.management_form for f in answer.context["inline_admin_formsets"])]:
        for field in form:
            value = field.value()
            if value is not None and value is not False:
                sent[field.html_name] = value
    return sent


def test_the_key_is_on_no_page_and_a_new_one_goes_in(client, root):
    extension = make_extension(make_tenant())
    address = f"/admin/integrations/extension/{extension.pk}/change/"
    answer = client.get(address)
    page = answer.content.decode()
    assert SECRET not in page and "never-to-be-seen" not in page and "••••" in page
    saved = client.post(address, {**form_of(answer), "new_key": "pk_ACME01_another"})
    assert saved.status_code == 302, (saved.context["adminform"].form.errors, saved.context["errors"])
    assert Extension.objects.get(pk=extension.pk).secret.reveal() == "pk_ACME01_another"
    assert "pk_ACME01_another" not in client.get(address).content.decode()


def test_saving_without_a_key_keeps_the_present_one(client, root):
    extension = make_extension(make_tenant())
    address = f"/admin/integrations/extension/{extension.pk}/change/"
    client.post(address, {**form_of(client.get(address)), "name": "Klaviyo UK"})
    kept = Extension.objects.get(pk=extension.pk)
    assert (kept.name, kept.secret.reveal()) == ("Klaviyo UK", SECRET)


def test_a_public_key_is_refused_with_a_sentence(client, root):
    extension = make_extension(make_tenant())
    address = f"/admin/integrations/extension/{extension.pk}/change/"
    answer = client.post(address, {**form_of(client.get(address)), "new_key": "AbC123"})
    assert answer.status_code == 200 and "public" in answer.content.decode().lower()


def test_a_token_is_shown_once_and_never_its_digest(client, root):
    tenant = make_tenant()
    issued = client.post("/admin/tenancy/apitoken/add/", {"tenant": tenant.pk, "name": "Till"})
    token = ApiToken.objects.get()
    text = issued.context["text"]
    assert text in issued.content.decode() and ApiToken.digest_of(text) == token.digest
    assert "no-store" in issued["Cache-Control"]
    for address in ("/admin/tenancy/apitoken/", f"/admin/tenancy/apitoken/{token.pk}/change/", "/admin/"):
        page = client.get(address).content.decode()
        assert text not in page and token.digest not in page


def test_a_token_is_revoked_by_an_action(client, root):
    from portal.tenancy import tokens

    token, _ = tokens.issue(make_tenant(), "Till")
    client.post("/admin/tenancy/apitoken/", {"action": "revoke", "_selected_action": [token.pk]})
    token.refresh_from_db()
    assert token.revoked_at


def test_a_person_page_shows_no_password_and_a_link_sets_one(client, root):
    person = make_user(email="ada@example.com")
    page = client.get(f"/admin/tenancy/user/{person.pk}/change/").content.decode()
    assert person.password not in page and "md5$" not in page
    answer = client.post(
        "/admin/tenancy/user/", {"action": "password_link", "_selected_action": [person.pk]}, follow=True
    )
    assert "/password/set/" in answer.content.decode()


def test_who_edits_people_cannot_raise_themselves(client):
    from django.contrib.auth.models import Permission

    editor = make_user(is_staff=True)
    editor.user_permissions.add(*Permission.objects.filter(codename__in=["view_user", "change_user"]))
    client.force_login(editor)
    address = f"/admin/tenancy/user/{editor.pk}/change/"
    client.post(address, {**form_of(client.get(address)), "is_superuser": "on"})
    editor.refresh_from_db()
    assert not editor.is_superuser
    boss = make_user(is_staff=True, is_superuser=True)
    assert (
        client.post(f"/admin/tenancy/user/{boss.pk}/change/", {"email": "x@example.com"}).status_code == 403
    )


def test_another_address_does_not_get_the_key(client, root):
    extension = make_extension(make_tenant(), health="ok")
    address = f"/admin/integrations/extension/{extension.pk}/change/"
    refused = client.post(address, {**form_of(client.get(address)), "base_url": "https://evil.example"})
    assert "is not a host of Klaviyo" in refused.content.decode()
    told = client.post(
        address, {**form_of(client.get(address)), "base_url": "http://127.0.0.1:9"}, follow=True
    )
    assert "the stored key was cleared" in told.content.decode()
    moved = Extension.objects.get(pk=extension.pk)
    assert (moved.base_url, moved.secret, moved.health) == ("http://127.0.0.1:9", None, "unchecked")


def test_a_key_entered_with_its_address_stays(client, root):
    extension = make_extension(make_tenant())
    address = f"/admin/integrations/extension/{extension.pk}/change/"
    sent = {**form_of(client.get(address)), "base_url": "http://127.0.0.1:9", "new_key": "pk_ACME01_another"}
    client.post(address, sent)
    assert Extension.objects.get(pk=extension.pk).secret.reveal() == "pk_ACME01_another"


def test_staff_cannot_change_the_address(client):
    staff = make_user(is_staff=True)
    staff.user_permissions.add(*Permission.objects.filter(content_type__model="extension"))
    client.force_login(staff)
    extension = make_extension(make_tenant())
    address = f"/admin/integrations/extension/{extension.pk}/change/"
    client.post(address, {**form_of(client.get(address)), "name": "Mine", "base_url": "http://127.0.0.1:9"})
    kept = Extension.objects.get(pk=extension.pk)
    assert (kept.name, kept.base_url, kept.secret.reveal()) == ("Mine", extension.base_url, SECRET)


def test_the_secret_of_a_webhook_stays_out_of_the_admin(client, staff):
    from integrations.models import AlertSettings
    from portal.tenancy.secrets import Secret

    made = AlertSettings.objects.create(tenant=make_tenant(), webhook_secret=Secret("whsec_never-to-be-seen"))
    client.force_login(staff)
    for place in ("", f"{made.pk}/change/"):
        answer = client.get(f"/admin/integrations/alertsettings/{place}")
        assert answer.status_code == 200 and "whsec_" not in answer.content.decode()
