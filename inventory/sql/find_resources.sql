-- Find resources by what an operator types: a provider's id, a URN, an address, a name or a part of it, a tag.
--
-- parameters  text text · ids text[]: what may be a provider's id · address text: null where the text is no IP address
--             part text: a pattern for LIKE in capitals, null where it is too short for the index of names
--             provider text · kinds text[]: every kind · most integer: rows of each way
-- returns     id, rank: 0 by id or address, 1 by the whole name, 2 by a tag, 3 by a part of the name; the best of each
-- locks       nothing
--
-- Each way has an index and ends at `most` rows, so that a word that a million names have costs no more than another.
WITH named AS MATERIALIZED (
    -- Planned for ten thousand, and read as far as is wanted. For the first sixty the planner would rather read live rows one
    -- by one than the index of parts, wherever it takes a rare part for a common one: a name in its statistics that has the
    -- part counts for a hundredth of all. With the provider, which all have, the index of live names isn't enough either.
    SELECT id, name
    FROM cloud_resources
    WHERE upper(name) LIKE %(part)s::text AND deleted_at IS NULL AND provider = %(provider)s::text
    LIMIT 10000
),
found AS (
    (
        SELECT id, 0 AS rank
        FROM cloud_resources
        WHERE provider = %(provider)s::text AND kind = ANY(%(kinds)s::text[]) AND provider_id = ANY(%(ids)s::text[])
        LIMIT %(most)s::integer
    )
    UNION ALL
    (
        SELECT id, 0
        FROM cloud_resources
        -- The kinds of the index's own condition, or it couldn't serve.
        WHERE kind IN ('droplet', 'load_balancer')
          AND resource_addresses(attrs) @> ARRAY[host(%(address)s::text::inet)]
        LIMIT %(most)s::integer
    )
    UNION ALL
    (
        -- A reserved address stands on its own row alone: the droplet that has it is found by that.
        SELECT holder.id, 0
        FROM cloud_resources AS reserved
        CROSS JOIN LATERAL (
            SELECT id
            FROM cloud_resources
            WHERE provider = reserved.provider AND kind = 'droplet' AND provider_id = reserved.attrs ->> 'droplet_id'
            LIMIT 1  -- a lookup for each, as in attribution_rule.sql
        ) AS holder
        WHERE reserved.provider = %(provider)s::text AND reserved.kind = 'reserved_ip'
          AND reserved.provider_id = host(%(address)s::text::inet) AND reserved.deleted_at IS NULL
    )
    UNION ALL
    (
        SELECT id, 1
        FROM cloud_resources
        WHERE name = %(text)s::text
        ORDER BY id * -1  -- the index has this order: of many namesakes the youngest
        LIMIT %(most)s::integer
    )
    UNION ALL
    (
        SELECT id, 2
        FROM cloud_resources
        WHERE lower_all(tags) @> ARRAY[lower(%(text)s::text)] AND deleted_at IS NULL
        LIMIT %(most)s::integer
    )
    UNION ALL
    (
        SELECT id, CASE WHEN upper(name) = upper(%(text)s::text) THEN 1 ELSE 3 END
        FROM named
        LIMIT %(most)s::integer
    )
)
SELECT id, min(rank) AS rank
FROM found
GROUP BY id
ORDER BY min(rank), id DESC
LIMIT %(most)s::integer
