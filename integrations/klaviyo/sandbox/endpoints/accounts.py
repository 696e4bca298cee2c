"""GET /api/accounts: proves a credential and names the account behind it."""

from __future__ import annotations

from integrations.klaviyo.sandbox import resources
from integrations.klaviyo.sandbox.call import Call
from integrations.klaviyo.sandbox.errors import not_found
from integrations.klaviyo.sandbox.wire import Answer, json_answer


def index(call: Call) -> Answer:
    links = {"self": call.request.url, "next": None, "prev": None}
    return json_answer(200, {"data": [_resource(call)], "links": links})


def detail(call: Call) -> Answer:
    if call.path_id != call.account.public_id:
        raise not_found("account", call.path_id)
    return json_answer(200, {"data": _resource(call), "links": {"self": call.request.url}})


def _resource(call: Call) -> resources.Json:
    name = call.account.name
    address = ("address1", "address2", "city", "region", "country", "zip")
    attributes = {
        "test_account": True,
        "contact_information": {
            "default_sender_name": f"{name} (practice)",
            "default_sender_email": f"hello@{name.lower()}.example",
            "website_url": None,
            "organization_name": f"{name} (practice)",
            "street_address": dict.fromkeys(address),
        },
        "industry": None,
        "timezone": "Europe/London",
        "preferred_currency": "GBP",
        "public_api_key": call.account.public_id,
        "locale": "en-GB",
    }
    made = resources.resource(call.origin, "account", call.account.public_id, attributes, (), "accounts")
    return resources.sparse(made, call.query.fields.get("account"))
