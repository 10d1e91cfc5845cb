-- Drop the partitions of usage events of the months before one.
--
-- parameters  before date, a first day
-- returns     name of each
-- locks       usage_events against everything, for as long as it takes to unlink files
SELECT name FROM drop_usage_events_partitions(%(before)s::date) AS name
