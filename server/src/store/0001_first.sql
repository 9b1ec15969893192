-- The journal is only ever appended to. In SQLite `INTEGER PRIMARY KEY` is the row's own number, without a second index.
CREATE TABLE journal (
    seq INTEGER PRIMARY KEY,
    at BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE pipelines (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    revision BIGINT NOT NULL,
    changed BIGINT NOT NULL
);
CREATE TABLE sessions (
    hash TEXT NOT NULL PRIMARY KEY,
    scope TEXT NOT NULL,
    ends BIGINT NOT NULL
);
CREATE TABLE key_values (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
