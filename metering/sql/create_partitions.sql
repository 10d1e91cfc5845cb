-- Make the partitions of usage events for these months where there are none yet.
--
-- parameters  months date[], first days
-- returns     created (one row): how many
-- locks       usage_events against another maker of partitions, if one has to be made
SELECT count(*) FILTER (WHERE create_usage_events_partition(month)) AS created
FROM unnest(%(months)s::date[]) AS month
