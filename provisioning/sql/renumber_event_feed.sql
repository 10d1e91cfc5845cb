-- Give every event of the feed the number of no transaction, so that all come before those to be written.
-- parameters  none
-- returns     nothing
-- locks       the rows of event_feed
--
-- In a restored database transactions are numbered anew: rows with the old server's numbers would wait until the
-- new one reaches them.
UPDATE event_feed SET transaction_id = 0 WHERE transaction_id <> 0
