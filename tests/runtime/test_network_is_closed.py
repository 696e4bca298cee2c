import socket

import pytest
import requests


def test_a_call_beyond_this_machine_fails_at_once() -> None:
    with pytest.raises(RuntimeError, match="closed to tests"):
        requests.get("https://a.klaviyo.com/api/accounts", timeout=1)
    with pytest.raises(RuntimeError, match="closed to tests"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
