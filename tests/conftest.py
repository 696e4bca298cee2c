"""What every test stands on: a database of its own and no way out of this machine."""

import ipaddress
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings

from portal.runtime import embedded_postgres

_server: embedded_postgres.Running | None = None


def pytest_configure(config: pytest.Config) -> None:
    """Start the data folder's PostgreSQL once; workers of xdist use their controller's."""
    global _server
    is_xdist_worker = hasattr(config, "workerinput")
    if is_xdist_worker or config.option.collectonly or os.environ.get("DATABASE_URL"):
        return
    _server = embedded_postgres.start(settings.DATA_DIR)


def pytest_unconfigure(config: pytest.Config) -> None:
    global _server
    if _server is not None:
        embedded_postgres.stop(_server)
        _server = None


def _stays_here(address: Any) -> bool:
    if not isinstance(address, tuple):  # a unix socket
        return True
    host = str(address[0])
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in ("", "localhost")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test that reaches beyond loopback fails at once, with the address in its message."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if not _stays_here(address):
            raise RuntimeError(f"A test tried to reach {address}: the network is closed to tests.")
        connect(self, address)

    def guarded_look_up(host: Any, *args: Any, **options: Any) -> Any:
        if host is not None and not _stays_here((host if isinstance(host, str) else host.decode(), 0)):
            raise RuntimeError(f"A test tried to look up {host}: the network is closed to tests.")
        return look_up(host, *args, **options)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)
    yield
