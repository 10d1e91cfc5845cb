-- Keep every batch of usage events out until the end of the transaction: each takes a row of its source first.
--
-- parameters  none
-- returns     nothing
-- locks       usage_sources against writers
LOCK TABLE usage_sources IN SHARE MODE
