-- A claim is made ahead of the moment at which its message may leave. Should its process
-- die, such a message has not left unless it was noted here before. The table is unlogged, so that a note waits for no disk:
-- it outlives the process, and not the server. Where it was lost is told by the lack of the process's own row (message 0).
ALTER TABLE scheduled_messages ADD COLUMN begins_later BOOLEAN NOT NULL DEFAULT FALSE;
CREATE UNLOGGED TABLE begun (
    holder     TEXT NOT NULL,
    message_id BIGINT NOT NULL,
    attempt    BIGINT NOT NULL,
    noted_at   BIGINT NOT NULL,
    PRIMARY KEY (holder, message_id, attempt)
);
