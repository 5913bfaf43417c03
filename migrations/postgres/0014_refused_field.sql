-- Which field of the message the server refused, where it named one.
ALTER TABLE message_attempts ADD COLUMN refused_field TEXT;
