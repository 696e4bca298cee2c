import pytest

from integrations.errors import AuthenticationError
from integrations.gateway.port import ConnectionReport
from integrations.models import Extension
from integrations.services import connections
from tests.factories import make_tenant, make_user
from tests.pages.builders import SECRET, make_extension

pytestmark = pytest.mark.django_db
NEW = "pk_ACME01_another"


@pytest.fixture
def tenant():
    return make_tenant("acme")


@pytest.fixture
def extension(tenant):
    return make_extension(tenant, account_id="ACME01")


@pytest.fixture
def answers(monkeypatch):
    """What the destination says when it is asked who we are."""

    def answer(result):
        class Channel:
            def check(self):
                if isinstance(result, Exception):
                    raise result
                return result

        monkeypatch.setattr(connections, "open_channel", lambda extension: Channel())

    return answer


def report(*missing: str) -> ConnectionReport:
    return ConnectionReport(
        account_id="ACME01", account_name="Acme Coffee", is_practice=False, missing_scopes=missing
    )


def send(client, extension, text, **more):
    address = f"/t/{extension.tenant.slug}/connection/{extension.pk}/key/"
    return client.post(address, {f"key-{extension.pk}-key": text}, **more)


def stored(extension) -> str:
    return Extension.objects.get(pk=extension.pk).secret.reveal()


@pytest.mark.parametrize("role", ["owner", "manager"])
def test_a_new_key_is_kept_checked_and_never_shown(client, extension, answers, role):
    answers(report())
    client.force_login(make_user(extension.tenant, role=role))
    form = client.get("/t/acme/connection/").content.decode()
    assert "New private key" in form and 'type="password"' in form and "Settings → API keys" in form
    page = send(client, extension, f" {NEW} ", follow=True).content.decode()
    assert stored(extension) == NEW
    assert "Acme Coffee accepts us with it." in page
    assert NEW not in page and SECRET not in page


def test_a_key_that_is_not_accepted_says_so(client, extension, answers):
    answers(AuthenticationError("Klaviyo does not accept this key. Create a new one."))
    client.force_login(make_user(extension.tenant, role="manager"))
    page = send(client, extension, NEW, follow=True).content.decode()
    assert "does not work yet. Klaviyo does not accept this key." in page and NEW not in page


def test_a_missing_permission_is_named(client, extension, answers):
    answers(report("events:write"))
    client.force_login(make_user(extension.tenant, role="manager"))
    assert "lacks the permission events:write" in send(client, extension, NEW, follow=True).content.decode()


@pytest.mark.parametrize(
    ("given", "words"),
    [("AbC123", "public API key"), ("", "Paste the key"), ("pk_secret with-space", "copy it again")],
)
def test_what_cannot_be_a_key_is_refused_beside_the_field(client, extension, given, words):
    client.force_login(make_user(extension.tenant, role="owner"))
    answer = send(client, extension, given)
    page = answer.content.decode()
    assert answer.status_code == 200 and words in page and 'class="error"' in page
    assert stored(extension) == SECRET and "pk_secret" not in page and SECRET not in page


def test_a_viewer_and_an_outsider_change_no_key(client, extension):
    client.force_login(make_user(extension.tenant, role="viewer"))
    assert send(client, extension, NEW).status_code == 403
    assert "New private key" not in client.get("/t/acme/connection/").content.decode()
    client.force_login(make_user(make_tenant("other")))
    assert send(client, extension, NEW).status_code == 404
    assert stored(extension) == SECRET


def test_without_a_connection_the_page_says_who_makes_one(client, tenant):
    client.force_login(make_user(tenant, role="viewer"))
    page = client.get("/t/acme/connection/").content.decode()
    assert "made by the staff of this portal" in page and "apply_config" in page


@pytest.mark.parametrize("address", ["/t/acme/", "/t/acme/runs/"])
def test_no_run_is_offered_while_the_connection_is_off(client, extension, address):
    client.force_login(make_user(extension.tenant, role="manager"))
    assert "Start a run</a>" in client.get(address).content.decode()
    Extension.objects.update(is_active=False, is_practice=True)
    page = client.get(address).content.decode()
    assert "Start a run</a>" not in page and "No run can start" in page
    assert "nothing leaves this machine" in page
