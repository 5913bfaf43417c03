-- What the clocks of `time_zone` show when a message is to go (YYYY-MM-DDTHH:MM:SS): when the rules of zones change, its
-- moment is found anew. Nothing for what was said as a length from now, and for what was said before this was noted.
ALTER TABLE scheduled_messages ADD COLUMN wall_time TEXT;
