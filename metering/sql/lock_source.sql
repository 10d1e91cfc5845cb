-- Get the id of a source of usage events, which comes to be here, and lock it until the end of the transaction.
--
-- parameters  tenant_id text, null for a source of no tenant · name text · at timestamptz
-- returns     id (one row)
-- locks       the source: its batches go one after the other
INSERT INTO usage_sources (tenant_id, name, last_used_at)
VALUES (%(tenant_id)s::text, %(name)s::text, %(at)s::timestamptz)
ON CONFLICT (tenant_id, name) DO UPDATE SET last_used_at = greatest(usage_sources.last_used_at, excluded.last_used_at)
RETURNING id
