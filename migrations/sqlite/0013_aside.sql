-- An index of what waits, by account, changed with each message that was sent, on a page of its own: that cost a fifth of all.
-- What waits is found in that of all messages now, from the moment on before which none waits by itself; what does not go by
-- itself, or not at its moment, is in an index of its own.
DROP INDEX scheduled_messages_waiting;
DROP INDEX scheduled_messages_held;
DROP INDEX scheduled_messages_late;
CREATE INDEX scheduled_messages_aside ON scheduled_messages (user_id, scheduled_time) WHERE status = 'held' OR status = 'late'
    OR status = 'unknown' OR (status = 'scheduled' AND due_at <> scheduled_time);
DROP INDEX scheduled_messages_leased;
CREATE INDEX scheduled_messages_leased ON scheduled_messages (lease_until, user_id, scheduled_time) WHERE status = 'sending';
