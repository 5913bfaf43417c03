-- Nothing: what PostgreSQL is spared here is cheap on SQLite.
SELECT 1;
