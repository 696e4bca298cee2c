"""What the engine does by the clock, applied by `setup_schedules`."""

SCHEDULES = [
    # The supervisor's tick does this every second; this one is the fallback when no supervisor runs.
    {"name": "Wake what is due", "func": "integrations.services.clock.tick", "minutes": 1},
    {"name": "Check connections", "func": "integrations.tasks.check_connections", "minutes": 60},
    {"name": "Check new connections", "func": "integrations.tasks.check_unproven", "minutes": 5},
    {"name": "Watch for trouble", "func": "integrations.services.alerting.watch", "minutes": 1},
    {"name": "Sample rates and freshness", "func": "integrations.services.sampling.sample", "minutes": 1},
    {"name": "Keep grants alive", "func": "integrations.tasks.keep_grants_alive", "minutes": 60},
    {"name": "Prune history", "func": "integrations.tasks.prune_history", "minutes": 1440},
]
