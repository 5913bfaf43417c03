-- Messages of the bot that follow what goes on: the late ones of an account, or a digest of many outcomes.
CREATE TABLE live_cards (
    chat_id     INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    telegram_id INTEGER,
    since       INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (chat_id, kind)
) STRICT, WITHOUT ROWID;
