-- Sum up a simulation's rows.
--
-- parameters  simulation bigint
-- returns     one row: months · more, less and crossing, subscribers by all their months together · now, later,
--             revenue · cost, null where that of any month isn't known · unpriced, days of resources that
--             are in no cost
-- locks       nothing
SELECT
    coalesce(sum(of_one.months), 0)::bigint AS months,
    count(*) FILTER (WHERE of_one.later > of_one.now) AS more,
    count(*) FILTER (WHERE of_one.later < of_one.now) AS less,
    count(*) FILTER (WHERE of_one.crosses) AS crossing,
    coalesce(sum(of_one.now), 0) AS now,
    coalesce(sum(of_one.later), 0) AS later,
    CASE WHEN bool_and(of_one.is_known) IS NOT FALSE THEN coalesce(sum(of_one.cost), 0) END AS cost,
    coalesce(sum(of_one.unpriced), 0)::bigint AS unpriced
FROM (
    SELECT
        count(*) AS months, sum(revenue_now) AS now, sum(revenue_then) AS later, sum(cost) AS cost,
        sum(unpriced) AS unpriced, bool_or(crosses_into <> '{}') AS crosses, bool_and(cost IS NOT NULL) AS is_known
    FROM plan_simulation_rows
    WHERE simulation_id = %(simulation)s::bigint
    GROUP BY subscription_id
) AS of_one
