-- Write the projects of a complete list; what was seen of one later than the list was asked for stays.
--
-- parameters  batch jsonb: the projects, each id once · provider text · at timestamptz: when the list was asked for
-- returns     nothing
-- locks       the projects, sorted by their ids, so that two mirrors never wait for each other in a ring
INSERT INTO cloud_projects AS known (
    provider, provider_id, name, description, purpose, environment, is_default, attrs, first_seen_at, last_seen_at
)
SELECT %(provider)s::text, provider_id, name, description, purpose, environment, is_default, attrs,
       %(at)s::timestamptz, %(at)s::timestamptz
FROM jsonb_to_recordset(%(batch)s::jsonb) AS seen(
    provider_id text, name text, description text, purpose text, environment text, is_default boolean, attrs jsonb
)
ORDER BY provider_id
ON CONFLICT (provider, provider_id) DO UPDATE SET
    -- The tenant and the purpose are the operator's.
    name = excluded.name,
    description = excluded.description,
    environment = excluded.environment,
    is_default = excluded.is_default,
    attrs = excluded.attrs,
    last_seen_at = excluded.last_seen_at,
    deleted_at = NULL
WHERE excluded.last_seen_at >= known.last_seen_at
