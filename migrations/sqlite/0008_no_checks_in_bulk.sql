-- Nothing: checking a row's owner is cheap here.
SELECT 1;
