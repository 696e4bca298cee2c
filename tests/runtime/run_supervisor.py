"""A supervisor in a process of its own that loses patience soon."""

import django

if __name__ == "__main__":
    django.setup()
    from portal.runtime.lanes import Patience
    from portal.runtime.supervisor import Supervisor

    Supervisor(patience=Patience(idle_seconds=3, busy_seconds=20), stop_seconds=8).run()
