-- How late a message of the account may still go by itself, in milliseconds; where there is none, the program's LATE_GRACE.
ALTER TABLE users ADD COLUMN late_grace INTEGER;
