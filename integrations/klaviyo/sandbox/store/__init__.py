"""The state of the sandbox: one SQLite file, one connection, one lock."""
