from integrations.klaviyo import limits, protocol
from integrations.klaviyo.limits import Endpoint, bucket_key


def test_each_endpoint_has_a_bucket_of_its_own() -> None:
    keys = {bucket_key(name, method="oauth", account_id="AbC123", secret="t") for name in Endpoint}
    assert len(keys) == len(Endpoint)
    assert "klaviyo:AbC123:oauth:GET /api/accounts" in keys
    assert max(map(len, keys)) <= 200


def test_before_the_account_is_known_a_fingerprint_of_the_key_stands_for_it() -> None:
    one, other = (
        bucket_key(Endpoint.ACCOUNTS, method="private_key", account_id="", secret=key) for key in ("a", "b")
    )
    assert one != other and "pk_" not in one


def test_every_permission_but_the_accounts_has_a_probe() -> None:
    assert {"accounts:read", *protocol.probes()} == set(limits.SCOPES)
    for scope, call in protocol.probes().items():
        assert limits.RULES[call.endpoint].scopes == (scope,)


def test_a_path_cannot_be_left_by_an_id() -> None:
    assert protocol.read_import("a/b?c=").target == "/api/profile-bulk-import-jobs/a%2Fb%3Fc%3D"
    assert protocol.leave_list("L/1", []).target == "/api/lists/L%2F1/relationships/profiles"
