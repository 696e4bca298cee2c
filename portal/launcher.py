"""What `manage.py up` does: everything the portal needs on one machine, in order, and back."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from portal import demo_people, launch_guards, static_files
from portal.launch_guards import HOST
from portal.runtime import embedded_postgres, local_database, running
from portal.runtime.processes import Child, Signals

READY_SECONDS = 90
PATIENT_SECONDS = 10
WORKER_STOP_SECONDS = 40  # its clusters have 30
OTHER_STOP_SECONDS = 12
WEB_WORKERS = 2


@dataclass(frozen=True)
class Options:
    """What the command line asks for."""

    demo: bool
    port: int
    sandbox_port: int

    @property
    def portal(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def sandbox(self) -> str:
        return f"http://{HOST}:{self.sandbox_port}"


Say = Callable[[str], None]


class Launcher:
    """Starts the portal's processes, watches them, stops them."""

    def __init__(self, options: Options, say: Say) -> None:
        self.options = options
        self.say = say
        self.logs: Path = settings.DATA_DIR / "logs"
        self.children: list[Child] = []
        self.database: embedded_postgres.Running | None = None

    def run(self) -> None:
        """Returns when it was asked to stop; raises CommandError when something failed."""
        signals = Signals()
        self.logs.mkdir(parents=True, exist_ok=True)
        alone = launch_guards.only_one(settings.DATA_DIR, self.options.portal)
        with alone, local_database.available() as self.database:
            launch_guards.require_free_port(self.options.port, "--port", "the portal")
            if self.options.demo:
                launch_guards.require_free_port(self.options.sandbox_port, "--sandbox-port", "the sandbox")
            running.write(settings.DATA_DIR, self._values())
            try:
                self._start_sandbox()  # needs nothing of the others, so it starts beside the preparations
                self._prepare()
                self._start_worker_and_web()
                if self._wait_until_ready(signals):
                    self.say(self._welcome())
                self._watch(signals)
            finally:
                self.say("Stopping …")
                self._stop_children()
                running.remove(settings.DATA_DIR)
        self.say("Stopped.")

    # Preparing -------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        self.say("Preparing the database …")
        call_command("migrate", interactive=False, verbosity=0)  # also the cache's table and the schedules
        static_files.collect()
        if self.options.demo:
            self._seed()

    def _seed(self) -> None:
        """In a process of its own: it must see the sandbox's addresses as its settings."""
        self.say("Looking after the demo tenant …")
        seed = self._child("seed", "seed_demo")
        seed.start()
        while seed.is_running:
            time.sleep(0.05)
        if seed.exit_code:
            raise CommandError(f"seed_demo failed:\n{seed.log_tail()}")

    # Children --------------------------------------------------------------------------------------

    def _child(self, name: str, *command: str) -> Child:
        manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
        return Child(name, [*manage, *command], env=self._environment(), log=self.logs / f"{name}.log")

    def _environment(self) -> dict[str, str]:
        """What the children see besides our own environment, which has the last word."""
        return {name: os.environ.get(name) or value for name, value in self._values().items()}

    def _values(self) -> dict[str, str]:
        """Where this portal and its Klaviyo are."""
        values = {"PORTAL_URL": self.options.portal}
        if self.options.demo:
            values |= {
                "DEMO": "true",
                "KLAVIYO_API_URL": self.options.sandbox,
                "KLAVIYO_AUTHORIZE_URL": f"{self.options.sandbox}/oauth/authorize",
                "KLAVIYO_TOKEN_URL": f"{self.options.sandbox}/oauth/token",
                "KLAVIYO_REVOKE_URL": f"{self.options.sandbox}/oauth/revoke",
                "KLAVIYO_CLIENT_ID": "sandbox-client",
                "KLAVIYO_CLIENT_SECRET": "sandbox-secret",
            }
        return values

    def _start_sandbox(self) -> None:
        if self.options.demo:
            self._start(self._child("sandbox", "klaviyo_sandbox", "--port", str(self.options.sandbox_port)))

    def _start_worker_and_web(self) -> None:
        self._start(self._child("worker", "worker", "--skip-checks"))  # made for this very command
        gunicorn = [
            sys.executable, "-m", "gunicorn", "portal.wsgi", "--bind", f"{HOST}:{self.options.port}",
            "--chdir", str(settings.BASE_DIR), "--workers", str(WEB_WORKERS), "--worker-class", "gthread",
            "--threads", "4", "--preload", "--graceful-timeout", "8", "--timeout", "60", "--no-control-socket",
        ]  # fmt: skip
        self._start(Child("web", gunicorn, env=self._environment(), log=self.logs / "web.log"))

    def _start(self, child: Child) -> None:
        if child.log:
            child.log.write_text("")  # the log of this run; the tail of it is shown when it dies
        child.start()
        self.children.append(child)

    def _stop_children(self) -> None:
        """Web first, so that nothing new comes in; the worker finishes what it has begun."""
        for name, seconds in (("web", OTHER_STOP_SECONDS), ("worker", WORKER_STOP_SECONDS)):
            self._stop_one(name, seconds)
        self._stop_one("sandbox", OTHER_STOP_SECONDS)

    def _stop_one(self, name: str, seconds: float) -> None:
        for child in self.children:
            if child.name != name:
                continue
            child.ask_to_stop()
            if not child.wait(time.monotonic() + seconds):
                self.say(f"{name} did not stop within {seconds:.0f} s and was ended.")

    def _require_alive(self) -> None:
        for child in self.children:
            if not child.is_running:
                raise CommandError(
                    f"The {child.name} process ended ({child.exit_code}), so everything stops. "
                    f"The end of {child.log}:\n\n{child.log_tail()}"
                )

    # Watching --------------------------------------------------------------------------------------

    def _wait_until_ready(self, signals: Signals) -> bool:
        """Wait for the whole portal to say that it works."""
        self.say("Starting …")
        deadline, told = time.monotonic() + READY_SECONDS, time.monotonic() + PATIENT_SECONDS
        while not signals.stopping:
            self._require_alive()
            is_ready, problems = launch_guards.readiness(self.options.portal)
            if is_ready:
                return True
            if time.monotonic() > told:
                self.say(f"Still waiting: {problems}")
                told = deadline
            if time.monotonic() > deadline:
                raise CommandError(
                    f"The portal is not ready after {READY_SECONDS} s: {problems} (logs in {self.logs})"
                )
            signals.sleep(0.2)
        return False

    def _watch(self, signals: Signals) -> None:
        while not signals.stopping:
            self._require_alive()
            if self.database is not None:
                self.database = embedded_postgres.restart_if_dead(self.database)
            signals.sleep(1.0)

    def _welcome(self) -> str:
        lines = [
            "",
            f"  The portal runs at   {self.options.portal}/",
            f"  Admin                {self.options.portal}/admin/",
            f"  API documentation    {self.options.portal}/api/v1/docs",
        ]
        if any(child.name == "sandbox" for child in self.children):
            lines.append(f"  Klaviyo (sandbox)    {self.options.sandbox}/")
        lines += [f"  Logs                 {self.logs}", ""]
        if self.options.demo:
            lines += [f"  {person.email:<22} {person.title}" for person in demo_people.PEOPLE]
            lines += [f"  {'':<22} password of all: {demo_people.PASSWORD}", ""]
        elif not get_user_model().objects.exists():
            lines += [
                "  Nobody can log in yet: run .venv/bin/python manage.py createsuperuser, or apply_config with users.",
                "",
            ]
        return "\n".join([*lines, "  Ctrl-C stops everything.", ""])
