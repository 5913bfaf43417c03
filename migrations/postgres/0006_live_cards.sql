-- Messages of the bot that follow what goes on: the late ones of an account, or a digest of many outcomes.
CREATE TABLE live_cards (
    chat_id     BIGINT NOT NULL,
    kind        TEXT    NOT NULL,
    telegram_id BIGINT,
    since       BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (chat_id, kind)
);
