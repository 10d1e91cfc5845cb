-- Keep these leases for at least so many seconds from now. Only rows whose lease is still held are returned.
UPDATE saga_runs AS saga
SET lease_expires_at = greatest(
        saga.lease_expires_at, clock_timestamp() + make_interval(secs => %(seconds)s::float8)
    )
FROM unnest(%(saga_ids)s::bigint[], %(tokens)s::uuid[]) AS held (saga_id, token)
WHERE saga.id = held.saga_id AND saga.lease_token = held.token AND saga.lease_expires_at > clock_timestamp()
RETURNING saga.id
