"""`python -m integrations.klaviyo.sandbox`: the sandbox without Django."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from integrations.klaviyo.sandbox.server import Server
from integrations.klaviyo.sandbox.state import Options, open_state


def add_arguments(parser: argparse.ArgumentParser, data: Path) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument(
        "--port", type=int, default=8400, help="port to listen on (default 8400; 0 picks a free one)"
    )
    parser.add_argument("--data", default=str(data), help="SQLite file that keeps the state, or :memory:")
    parser.add_argument(
        "--no-limits", action="store_true", help="no rate limits, unless an account sets its own"
    )
    parser.add_argument("--lag", type=float, default=1.0, help="seconds that a bulk job takes (default 1)")


def run(options: Options) -> None:
    """Serve until SIGTERM or SIGINT; prints one line when ready."""
    state = open_state(options)
    server = Server(state)
    state.worker.start()

    def stop(*_: object) -> None:
        # From another thread: shutdown waits for the loop that this signal interrupts.
        threading.Thread(target=server.shutdown).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    host, port = server.server_address[:2]
    print(f"Klaviyo sandbox on http://{host!s}:{port}", flush=True)
    try:
        server.serve_forever(poll_interval=0.1)
    finally:
        server.server_close()
        state.worker.stop()
        state.db.close()


def options_from(arguments: dict[str, object]) -> Options:
    return Options(
        host=str(arguments["host"]),
        port=int(str(arguments["port"])),
        data=str(arguments["data"]),
        has_limits=not arguments["no_limits"],
        lag_seconds=float(str(arguments["lag"])),
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="klaviyo_sandbox", description=__doc__)
    add_arguments(parser, Path(".data/sandbox/klaviyo.sqlite3"))
    run(options_from(vars(parser.parse_args())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
