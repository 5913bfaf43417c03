-- The Telegram message in which a message was said, and whether that was the whole request in one line: its edit
-- changes what waits.
ALTER TABLE scheduled_messages ADD COLUMN said_in BIGINT;
ALTER TABLE scheduled_messages ADD COLUMN said_line BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX scheduled_messages_said ON scheduled_messages (chat_id, said_in) WHERE said_in IS NOT NULL;
