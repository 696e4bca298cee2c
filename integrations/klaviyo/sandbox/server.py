"""The HTTP server: connections, bodies, and the endings that planned faults ask for."""

from __future__ import annotations

import gzip
import ipaddress
import logging
import socket
import struct
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from integrations.klaviyo.sandbox import gateway
from integrations.klaviyo.sandbox.control import api as control
from integrations.klaviyo.sandbox.errors import ApiError, simple
from integrations.klaviyo.sandbox.oauth import allow_page, token_endpoints
from integrations.klaviyo.sandbox.pages import site
from integrations.klaviyo.sandbox.state import State
from integrations.klaviyo.sandbox.wire import Answer, Ending, Request, json_answer, plain_json, read_target

logger = logging.getLogger(__name__)

_READ_AT_MOST = 64 * 1024 * 1024


class Server(ThreadingHTTPServer):
    """One thread per connection; many clients may knock at once."""

    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, state: State) -> None:
        self.state = state
        super().__init__((state.options.host, state.options.port), Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are everyday life here."""
        logger.debug("connection ended", exc_info=True)


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with keep-alive."""

    protocol_version = "HTTP/1.1"
    # Answers leave in one piece and at once; the default of an unbuffered file costs 40 ms a call with
    # delayed ACKs.
    wbufsize = -1
    disable_nagle_algorithm = True
    timeout = 300
    server: Server

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PATCH = do_DELETE = do_PUT = do_HEAD = do_OPTIONS = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """The journal keeps the calls."""

    def version_string(self) -> str:
        return "klaviyo-sandbox"

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            body = self._read_body(headers)
        except ApiError as error:
            self.close_connection = True
            self._write(json_answer(error.status, error.body()))
            return
        origin = f"http://{headers.get('host') or 'localhost'}"
        request = read_target(self.command, self.path, headers, body, origin)
        try:
            answer = self._answer(request)
        except Exception:
            logger.exception("sandbox failed", extra={"path": request.path})
            broken = simple(
                500, "error", "A server error occurred.", "The sandbox itself failed; see its log."
            )
            answer = json_answer(500, broken.body())
        self._finish(answer)

    def _answer(self, request: Request) -> Answer:
        state = self.server.state
        if request.path.startswith("/api/"):
            return gateway.serve(state, request)
        if request.path.startswith("/sandbox/api/"):
            if not ipaddress.ip_address(self.client_address[0]).is_loopback:
                return plain_json(403, {"error": "the control API answers on this machine only"})
            return control.serve(state, request)
        if request.path == "/oauth/authorize":
            return allow_page.serve(state, request)
        if request.path in ("/oauth/token", "/oauth/revoke"):
            return token_endpoints.serve(state, request)
        return site.serve(state, request)

    def _read_body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = self._read_chunks()
        else:
            length = int(headers.get("content-length") or 0)
            if length > _READ_AT_MOST:
                raise _too_long()
            body = self.rfile.read(length) if length else b""
        if headers.get("content-encoding", "").lower() == "gzip":
            body = gzip.decompress(body)
        return body

    def _read_chunks(self) -> bytes:
        parts: list[bytes] = []
        total = 0
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            total += size
            if total > _READ_AT_MOST:
                raise _too_long()
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _finish(self, answer: Answer) -> None:
        if answer.pause_seconds:
            time.sleep(answer.pause_seconds)
        if answer.ending is Ending.KEEP:
            self._write(answer)
            return
        self.close_connection = True
        if answer.ending is Ending.RESET:
            # Linger of zero seconds turns the close into a TCP reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        if answer.body or answer.status not in (202, 204):
            self.send_header("Content-Type", answer.content_type)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)


def _too_long() -> ApiError:
    return simple(413, "payload_too_large", "Payload too large.", "Request body is too large.")
