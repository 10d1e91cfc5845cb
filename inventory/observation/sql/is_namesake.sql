-- Decide whether what was seen is another thing than the tombstoned row `known`, under the same id.
--
-- A part of observe.sql, a boolean. Names, zones and addresses are given out again; a creation that is told and equal
-- proves it to be the same one, whose tombstone was wrong.
%(ids_recur)s::boolean AND known.deleted_at IS NOT NULL
AND (
    excluded.provider_created_at IS NULL
    OR excluded.provider_created_at IS DISTINCT FROM known.provider_created_at
)
