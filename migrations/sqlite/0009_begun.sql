-- On PostgreSQL it is noted here what has begun of the claims that were made early. On SQLite the ledger beside the database
-- tells that: nothing is written here.
ALTER TABLE scheduled_messages ADD COLUMN begins_later INTEGER NOT NULL DEFAULT 0;
CREATE TABLE begun (
    holder     TEXT NOT NULL,
    message_id INTEGER NOT NULL,
    attempt    INTEGER NOT NULL,
    noted_at   INTEGER NOT NULL,
    PRIMARY KEY (holder, message_id, attempt)
) STRICT;
