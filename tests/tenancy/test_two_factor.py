import re

import pytest
import time_machine
from auditlog.models import LogEntry
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from portal.tenancy.models import AuthenticatorDevice, RecoveryCode, User
from portal.tenancy.two_factor import codes
from tests.factories import make_tenant, make_user
from tests.tenancy.codes_of_app import code_of, switch_on

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(db):
    return make_user(make_tenant("acme"), email="ada@example.com")


def give_password(client, **fields):
    sent = {"username": "ada@example.com", "password": "password", **fields}
    return client.post(reverse("login"), sent)


def give_code(client, code):
    return client.post(reverse("second_factor"), {"code": code})


def is_in(client) -> bool:
    return client.get("/t/acme/").status_code == 200


def test_a_password_alone_signs_nobody_in(client, ada):
    switch_on(ada)
    assert give_password(client).url == reverse("second_factor")
    assert not is_in(client)
    assert "Your code" in client.get(reverse("second_factor")).content.decode()


def test_the_code_signs_in_and_leads_where_one_wanted_to_go(client, ada):
    key, _ = switch_on(ada)
    give_password(client, next="/t/acme/members/")
    assert give_code(client, code_of(key)).url == "/t/acme/members/"
    assert is_in(client)


def test_a_foreign_address_is_not_where_one_is_led(client, ada):
    key, _ = switch_on(ada)
    give_password(client, next="https://evil.example/")
    assert give_code(client, code_of(key)).url == "/"


def test_the_session_gets_a_new_key_after_the_password_and_after_the_code(client, ada):
    key, _ = switch_on(ada)
    client.get("/invitation/x/")  # a session before the log-in
    before = client.session.session_key
    give_password(client)
    between = client.session.session_key
    give_code(client, code_of(key))
    assert len({before, between, client.session.session_key}) == 3


def test_a_code_is_taken_once(client, ada):
    key, _ = switch_on(ada)
    code = code_of(key)
    give_password(client)
    give_code(client, code)
    client.post("/logout/")
    give_password(client)
    assert "used already" in give_code(client, code).content.decode()
    assert not is_in(client)


def test_the_code_of_the_set_up_does_not_log_in(client, ada):
    key = codes.begin(ada).key_text()
    code = code_of(key)
    codes.confirm(ada, code)
    give_password(client)
    give_code(client, code)
    assert not is_in(client)


def test_a_recovery_code_lets_in_once(client, ada):
    _, recovery = switch_on(ada)
    give_password(client)
    assert give_code(client, f" {recovery[0].upper()} ").status_code == 302
    assert is_in(client)
    client.post("/logout/")
    give_password(client)
    assert "still unused" in give_code(client, recovery[0]).content.decode()
    assert codes.recovery_codes_left(ada) == 9


def test_the_recovery_code_of_another_person_does_not_help(client, ada):
    switch_on(ada)
    _, foreign = switch_on(make_user())
    give_password(client)
    give_code(client, foreign[0])
    assert not is_in(client)


def test_after_a_wrong_code_even_the_right_one_waits(client, ada):
    key, _ = switch_on(ada)
    give_password(client)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        give_code(client, "abcd-efgh")
        assert "Wait 1 second" in give_code(client, code_of(key)).content.decode()
        clock.shift(2)
        assert give_code(client, code_of(key)).status_code == 302


def test_wrong_codes_lock_out_like_wrong_passwords(client, ada, settings):
    settings.AXES_FAILURE_LIMIT = 2
    key, _ = switch_on(ada)
    give_password(client)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        give_code(client, "abcd-efgh")
        clock.shift(5)
        answer = give_code(client, "abcd-efgh")
        assert answer.status_code == 429
        assert "pauses for 15 minutes" in answer.content.decode()
        clock.shift(60)
        assert give_code(client, code_of(key)).status_code == 429
        assert give_password(client).status_code == 429


def test_wrong_codes_are_kept_as_stars(client, ada):
    from axes.models import AccessAttempt

    switch_on(ada)
    give_password(client)
    give_code(client, "secret-code-1")
    assert "secret-code-1" not in AccessAttempt.objects.get(username=ada.email).post_data


def test_the_wait_for_a_code_ends_after_five_minutes(client, ada):
    key, _ = switch_on(ada)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        give_password(client)
        clock.shift(5 * 60 + 1)
        assert give_code(client, code_of(key)).url == reverse("login")
    assert not is_in(client)


def test_a_new_password_ends_the_wait_for_a_code(client, ada):
    key, _ = switch_on(ada)
    give_password(client)
    ada.set_password("another-one-1")
    ada.save()
    assert give_code(client, code_of(key)).url == reverse("login")


def test_a_person_who_is_switched_off_does_not_get_in_by_a_code(client, ada):
    key, _ = switch_on(ada)
    give_password(client)
    User.objects.filter(pk=ada.pk).update(is_active=False)
    assert give_code(client, code_of(key)).url == reverse("login")


def test_the_code_page_without_a_password_leads_to_the_log_in(client):
    assert client.get(reverse("second_factor")).url == reverse("login")


def test_a_new_password_by_mail_does_not_spare_the_code(client, ada):
    switch_on(ada)
    client.post(reverse("password_reset"), {"email": ada.email})
    link = next(word for word in mail.outbox[0].body.split() if "/password/set/" in word)
    form = client.get(link, follow=True).redirect_chain[-1][0]
    client.post(form, {"new_password1": "a-brand-new-1", "new_password2": "a-brand-new-1"})
    assert not is_in(client)
    assert give_password(client, password="a-brand-new-1").url == reverse("second_factor")


def test_the_admin_has_the_same_door(client):
    root = make_user(email="ada@example.com", is_staff=True, is_superuser=True)
    key, _ = switch_on(root)
    assert client.get("/admin/login/?next=/admin/").url == "/login/?next=/admin/"
    give_password(client, next="/admin/")
    assert client.get("/admin/").status_code == 302
    assert give_code(client, code_of(key)).url == "/admin/"
    assert client.get("/admin/").status_code == 200


# Setting it up ---------------------------------------------------------------------------------------


def test_it_is_set_up_with_password_picture_and_first_code(client, ada):
    client.force_login(ada)
    assert client.post("/profile/two-factor/", {"password": "password"}).url == "/profile/two-factor/set-up/"
    answer = client.get("/profile/two-factor/set-up/")
    assert answer.context["picture"].startswith("data:image/svg+xml")
    assert "no-store" in answer["Cache-Control"]
    assert not codes.is_on(ada)
    done = client.post("/profile/two-factor/set-up/", {"code": code_of(answer.context["key"])})
    assert "no-store" in done["Cache-Control"]
    page = done.content.decode()
    shown = re.findall(
        r"\b[a-z2-7]{4}(?:-[a-z2-7]{4}){3}\b", page.split("recovery-codes")[1].split("</pre>")[0]
    )
    assert len(set(shown)) == 10
    assert codes.is_on(ada)
    assert all(code not in client.get("/profile/").content.decode() for code in shown)


def test_the_set_up_takes_the_password(client, ada):
    client.force_login(ada)
    page = client.post("/profile/two-factor/", {"password": "wrong"}).content.decode()
    assert "This is not your password" in page
    assert not AuthenticatorDevice.objects.exists()


def test_guessing_the_password_in_the_profile_locks_out(client, ada, settings):
    settings.AXES_FAILURE_LIMIT = 2
    client.force_login(ada)
    client.post("/profile/two-factor/", {"password": "wrong"})
    assert client.post("/profile/two-factor/", {"password": "wrong"}).status_code == 429


def test_a_wrong_first_code_switches_nothing_on(client, ada):
    client.force_login(ada)
    client.post("/profile/two-factor/", {"password": "password"})
    assert "not right" in client.post("/profile/two-factor/set-up/", {"code": "000000"}).content.decode()
    assert not codes.is_on(ada)
    give_password(client)
    assert is_in(client)


def test_a_second_device_does_not_replace_the_first_unseen(client, ada):
    key, _ = switch_on(ada)
    with pytest.raises(codes.AlreadyOn):
        codes.begin(ada)
    assert AuthenticatorDevice.objects.get().key_text() == key


def test_it_is_switched_off_by_the_password_only(client, ada):
    switch_on(ada)
    client.force_login(ada)
    client.post("/profile/two-factor/off/", {"password": "wrong"})
    assert codes.is_on(ada)
    client.post("/profile/two-factor/off/", {"password": "password"})
    assert not codes.is_on(ada)
    assert not RecoveryCode.objects.exists()


def test_new_recovery_codes_end_the_old_ones(client, ada):
    _, old = switch_on(ada)
    client.force_login(ada)
    assert client.post("/profile/two-factor/codes/", {"password": "wrong"}).context["form"].errors
    new = client.post("/profile/two-factor/codes/", {"password": "password"}).context["codes"]
    assert codes.check(ada, old[0]).is_right is False
    AuthenticatorDevice.objects.update(throttling_failure_count=0)
    assert codes.check(ada, new[0]).is_right


def test_an_unreadable_key_leaves_the_recovery_codes(ada, settings):
    from cryptography.fernet import Fernet

    key, recovery = switch_on(ada)
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert "recovery code" in codes.check(ada, code_of(key)).words
    assert codes.check(ada, recovery[0]).is_right


# Staff ---------------------------------------------------------------------------------------------


def test_a_superuser_switches_it_off_for_others_and_it_is_written_down(client, ada):
    switch_on(ada)
    root = make_user(is_staff=True, is_superuser=True)
    client.force_login(root)
    asked = {"action": "switch_off_two_factor", "_selected_action": [ada.pk]}
    client.post(reverse("admin:tenancy_user_changelist"), asked)
    assert not codes.is_on(ada)
    entry = LogEntry.objects.filter(content_type__model="authenticatordevice").first()
    assert (entry.actor, entry.get_action_display()) == (root, "delete")


def test_staff_cannot_take_a_factor_away(client, ada, staff):
    switch_on(ada)
    client.force_login(staff)
    asked = {"action": "switch_off_two_factor", "_selected_action": [ada.pk]}
    client.post(reverse("admin:tenancy_user_changelist"), asked)
    assert codes.is_on(ada)


def test_where_it_is_required_staff_set_it_up_before_the_admin_opens(client, staff, settings):
    make_tenant("acme")
    settings.REQUIRE_TWO_FACTOR_FOR_STAFF = True
    client.force_login(staff)
    assert client.get("/admin/").url == "/profile/two-factor/"
    assert client.get("/admin/tenancy/user/").url == "/profile/two-factor/"
    assert client.get("/t/acme/").status_code == 403
    assert "Staff of this portal" in client.get("/profile/two-factor/").content.decode()
    switch_on(staff)
    assert client.get("/admin/").status_code == 200
    assert client.get("/t/acme/").status_code == 200


def test_where_it_is_not_required_the_admin_opens(client, staff):
    client.force_login(staff)
    assert client.get("/admin/").status_code == 200
