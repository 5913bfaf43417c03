-- When the server was last found out of reach: it may have been started anew since.
ALTER TABLE user_instances ADD COLUMN unreached_at INTEGER;
-- The last request may not have come to its end: the server is asked how it is before the next message.
ALTER TABLE user_instances ADD COLUMN is_suspect INTEGER NOT NULL DEFAULT 0;
