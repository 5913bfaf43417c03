-- Repeating messages. An occurrence is a row of scheduled_messages, made some time before its moment.
CREATE TABLE series (
    id             INTEGER PRIMARY KEY,
    user_id        INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    instance_id    INTEGER REFERENCES user_instances (id) ON DELETE SET NULL,
    pinned         INTEGER NOT NULL DEFAULT 0,
    recipient      TEXT    NOT NULL,
    recipient_name TEXT    NOT NULL DEFAULT '',
    message        TEXT    NOT NULL,
    rule           TEXT    NOT NULL,
    starts_at      TEXT    NOT NULL,
    time_zone      TEXT    NOT NULL,
    status         TEXT    NOT NULL,
    made_to        INTEGER NOT NULL,
    next_at        INTEGER,
    make_at        INTEGER,
    version        INTEGER NOT NULL DEFAULT 0,
    chat_id        INTEGER NOT NULL,
    origin         TEXT    NOT NULL UNIQUE,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX series_by_account ON series (user_id, id);
CREATE INDEX series_to_make ON series (make_at) WHERE status = 'active' AND make_at IS NOT NULL;

ALTER TABLE scheduled_messages ADD COLUMN series_id INTEGER REFERENCES series (id) ON DELETE SET NULL;
-- Changed by itself: it no longer follows its series.
ALTER TABLE scheduled_messages ADD COLUMN detached INTEGER NOT NULL DEFAULT 0;
-- Its wall time does not exist that day, so that it goes later.
ALTER TABLE scheduled_messages ADD COLUMN moved INTEGER NOT NULL DEFAULT 0;
CREATE INDEX scheduled_messages_by_series ON scheduled_messages (series_id, scheduled_time) WHERE series_id IS NOT NULL;

CREATE TABLE series_cards (
    chat_id     INTEGER NOT NULL,
    telegram_id INTEGER NOT NULL,
    series_id   INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    PRIMARY KEY (chat_id, telegram_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX series_cards_by_series ON series_cards (series_id);
