"""How the portal itself does: queue, database, workers."""

from django.http import HttpRequest

from portal import health
from portal.admin_site import Panel, site
from portal.runtime import queue


@site.panel(50)
def how_it_does(request: HttpRequest) -> Panel:
    found = health.report()
    checks = [(name, problem or "") for name, problem in found.items()]
    depth = [(str(lane), depth) for lane, depth in queue.depth().items()]
    return Panel("Queue and database", "admin/panels/health.html", {"checks": checks, "depth": depth})
