-- Keep every batch of usage events out until the end of the transaction: each takes a row of its source first. A script:
-- a lock is no statement that could be prepared.
--
-- parameters  none
-- returns     nothing
-- locks       usage_sources against writers; it waits for batches under way, and gives up after half a minute
SET LOCAL lock_timeout = '30s';
LOCK TABLE usage_sources IN SHARE MODE;
