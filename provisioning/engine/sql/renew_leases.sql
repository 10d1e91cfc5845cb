-- Renew leases for at least so many seconds from now.
-- parameters  saga_ids bigint[] · tokens uuid[] · seconds float8
-- returns     the numbers of the sagas whose lease is still held
-- locks       their rows
UPDATE saga_runs AS saga
SET lease_expires_at = greatest(
        saga.lease_expires_at, clock_timestamp() + make_interval(secs => %(seconds)s::float8)
    )
FROM unnest(%(saga_ids)s::bigint[], %(tokens)s::uuid[]) AS lease (saga_id, token)
WHERE saga.id = lease.saga_id AND saga.lease_token = lease.token AND saga.lease_expires_at > clock_timestamp()
RETURNING saga.id
