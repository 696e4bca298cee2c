"""Tables of the sandbox. Identities are unique per account; hot paths have an index each, nothing else has
one.
"""

SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (
    a INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, created INTEGER NOT NULL,
    settings TEXT NOT NULL DEFAULT '{}',
    counters TEXT NOT NULL DEFAULT '{}');

CREATE TABLE IF NOT EXISTS profiles (
    n INTEGER PRIMARY KEY, a INTEGER NOT NULL, id TEXT NOT NULL,
    email TEXT, phone TEXT, external_id TEXT,
    attrs TEXT NOT NULL, props TEXT NOT NULL, consent TEXT,
    created INTEGER NOT NULL, updated INTEGER NOT NULL, last_event INTEGER);
CREATE UNIQUE INDEX IF NOT EXISTS profiles_email ON profiles (a, email) WHERE email IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS profiles_phone ON profiles (a, phone) WHERE phone IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS profiles_external ON profiles (a, external_id)
    WHERE external_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS profiles_account ON profiles (a, n);
CREATE INDEX IF NOT EXISTS profiles_created ON profiles (a, created, n);
CREATE INDEX IF NOT EXISTS profiles_updated ON profiles (a, updated, n);

CREATE TABLE IF NOT EXISTS suppressions (
    profile_n INTEGER NOT NULL, a INTEGER NOT NULL, list_n INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (profile_n, list_n, reason)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS suppressions_at ON suppressions (a, at);

CREATE TABLE IF NOT EXISTS lists (
    n INTEGER PRIMARY KEY AUTOINCREMENT, a INTEGER NOT NULL, name TEXT NOT NULL, opt_in TEXT NOT NULL,
    created INTEGER NOT NULL, updated INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS lists_account ON lists (a, n);

-- A row stays when a person leaves (joined NULL): an "Added to list" flow fires on the first add only.
CREATE TABLE IF NOT EXISTS list_members (
    list_n INTEGER NOT NULL, profile_n INTEGER NOT NULL, joined INTEGER,
    PRIMARY KEY (list_n, profile_n)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS members_joined ON list_members (list_n, joined, profile_n)
    WHERE joined IS NOT NULL;
CREATE INDEX IF NOT EXISTS members_profile ON list_members (profile_n);

CREATE TABLE IF NOT EXISTS metrics (
    n INTEGER PRIMARY KEY AUTOINCREMENT, a INTEGER NOT NULL, name TEXT NOT NULL, created INTEGER NOT NULL,
    updated INTEGER NOT NULL, UNIQUE (a, name));

CREATE TABLE IF NOT EXISTS events (
    n INTEGER PRIMARY KEY AUTOINCREMENT, a INTEGER NOT NULL, profile_n INTEGER NOT NULL,
    metric_n INTEGER NOT NULL,
    unique_id TEXT NOT NULL, at INTEGER NOT NULL, uuid TEXT NOT NULL, props TEXT NOT NULL,
    backfill INTEGER NOT NULL,
    received REAL NOT NULL, UNIQUE (profile_n, metric_n, unique_id));
CREATE INDEX IF NOT EXISTS events_at ON events (a, at, n);
CREATE INDEX IF NOT EXISTS events_metric ON events (metric_n, at, n);
CREATE INDEX IF NOT EXISTS events_profile ON events (profile_n, at, n);

CREATE TABLE IF NOT EXISTS jobs (
    n INTEGER PRIMARY KEY AUTOINCREMENT, a INTEGER NOT NULL, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
    status TEXT NOT NULL, created REAL NOT NULL, started REAL, completed REAL, total INTEGER NOT NULL,
    done INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0, skipped INTEGER NOT NULL DEFAULT 0,
    lists TEXT NOT NULL DEFAULT '[]', body BLOB, profiles BLOB);
CREATE INDEX IF NOT EXISTS jobs_account ON jobs (a, kind, n);
CREATE INDEX IF NOT EXISTS jobs_open ON jobs (n) WHERE status IN ('queued', 'processing');

CREATE TABLE IF NOT EXISTS import_errors (
    n INTEGER PRIMARY KEY, job_n INTEGER NOT NULL, code TEXT NOT NULL, title TEXT NOT NULL,
    detail TEXT NOT NULL,
    pointer TEXT NOT NULL, payload TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS import_errors_job ON import_errors (job_n, n);

CREATE TABLE IF NOT EXISTS flows (
    n INTEGER PRIMARY KEY AUTOINCREMENT, a INTEGER NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL,
    trigger_type TEXT NOT NULL, list_n INTEGER, metric TEXT, created INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS flows_account ON flows (a, n);

CREATE TABLE IF NOT EXISTS flow_log (
    n INTEGER PRIMARY KEY, a INTEGER NOT NULL, flow_n INTEGER NOT NULL, profile_n INTEGER NOT NULL,
    source TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS flow_log_account ON flow_log (a, n);

CREATE TABLE IF NOT EXISTS refused (
    a INTEGER NOT NULL, email TEXT NOT NULL, detail TEXT NOT NULL, mode TEXT NOT NULL,
    PRIMARY KEY (a, email, mode)) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS oauth_codes (
    code TEXT PRIMARY KEY, a INTEGER NOT NULL, client TEXT NOT NULL, redirect_uri TEXT NOT NULL,
    challenge TEXT NOT NULL, scopes TEXT NOT NULL, role TEXT NOT NULL, expires REAL NOT NULL) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS oauth_grants (
    n INTEGER PRIMARY KEY AUTOINCREMENT, a INTEGER NOT NULL, client TEXT NOT NULL, refresh TEXT NOT NULL UNIQUE,
    scopes TEXT NOT NULL, role TEXT NOT NULL, created REAL NOT NULL, used REAL NOT NULL);

CREATE TABLE IF NOT EXISTS oauth_tokens (
    token TEXT PRIMARY KEY, grant_n INTEGER NOT NULL, expires REAL NOT NULL) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS requests (n INTEGER PRIMARY KEY AUTOINCREMENT, a INTEGER NOT NULL,
    line TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS requests_account ON requests (a, n);
"""
