from integrations.klaviyo.sandbox.state import State
from integrations.klaviyo.sandbox.wire import Answer, Request


def serve(state: State, request: Request) -> Answer:
    return Answer(200, b"ok", "text/html")
