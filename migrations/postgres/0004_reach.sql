-- When the server was last found out of reach: it may have been started anew since.
ALTER TABLE user_instances ADD COLUMN unreached_at BIGINT;
-- The last request may not have come to its end: the server is asked how it is before the next message.
ALTER TABLE user_instances ADD COLUMN is_suspect BOOLEAN NOT NULL DEFAULT FALSE;
