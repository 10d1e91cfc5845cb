-- Find the price in force on a day for each row of `subject`: of its sku before its kind's, of its region before any.
-- A part of other statements, which have `subject`: kind, sku, region. A sku of several nodes, as `db-s-1vcpu-1gb x3`, has
-- a node's price.
-- parameters  day date
-- returns     price: a row of provider_prices, or nulls
-- locks       nothing
LEFT JOIN LATERAL (
    SELECT unit, provider_prices.price, monthly_cap
    FROM provider_prices
    WHERE provider_prices.kind = subject.kind
      AND provider_prices.sku IN (split_part(subject.sku, ' x', 1), '')
      AND provider_prices.region IN (subject.region, '')
      AND daterange(effective_from, effective_to) @> %(day)s::date
    ORDER BY provider_prices.sku DESC, provider_prices.region DESC
    LIMIT 1
) AS price ON true
