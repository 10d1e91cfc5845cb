-- Read which resource belongs to which parent, by a list of ids that the parents' rows hold.
--
-- parameters  provider text · kind text, the parents' · attr text, where their lists stand
-- returns     child_id, parent_id: the provider's ids of both
-- locks       nothing
SELECT child_id, parent.provider_id AS parent_id
FROM cloud_resources AS parent
CROSS JOIN LATERAL jsonb_array_elements_text(parent.attrs -> %(attr)s::text) AS child_id
WHERE parent.provider = %(provider)s::text AND parent.kind = %(kind)s::text AND parent.deleted_at IS NULL
