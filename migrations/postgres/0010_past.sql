-- What waits has an index of its own: to keep it in that of all messages too made each change of status dearer.
DROP INDEX scheduled_messages_by_account;
CREATE INDEX scheduled_messages_past ON scheduled_messages (user_id, scheduled_time, id)
    WHERE status IN ('sent', 'failed', 'cancelled');
