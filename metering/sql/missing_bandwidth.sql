-- Find the droplets and days whose bandwidth the provider is to be asked for, oldest day first.
--
-- parameters  since date, until date, the days, half-open · most integer
-- returns     day, resource_id, droplet_id text, spans json [{deployment, since, until}], the droplet's active time on
--             that day under deployments whose plan prices bandwidth and whose source is the provider
-- locks       nothing
SELECT day.day, resource.id AS resource_id, resource.provider_id AS droplet_id,
       json_agg(json_build_object(
           'deployment', span.deployment_id,
           'since', extract(epoch FROM greatest(lower(span.during), day.starts_at)),
           'until', extract(epoch FROM least(upper(span.during), day.ends_at))) ORDER BY lower(span.during)) AS spans
FROM (
    SELECT day::date, day AT TIME ZONE 'UTC' AS starts_at, (day + interval '1 day') AT TIME ZONE 'UTC' AS ends_at
    FROM generate_series(%(since)s::timestamp, %(until)s::timestamp - interval '1 day', '1 day') AS day
) AS day
JOIN resource_spans AS span ON span.active AND span.during && tstzrange(day.starts_at, day.ends_at)
JOIN cloud_resources AS resource ON resource.id = span.resource_id AND resource.kind = 'droplet'
WHERE span.deployment_id IS NOT NULL
  AND NOT EXISTS (
      SELECT FROM bandwidth_measurements AS measured WHERE measured.resource_id = resource.id AND measured.day = day.day)
  AND 'provider' = coalesce(
      (SELECT setting.source FROM bandwidth_sources AS setting
       WHERE setting.deployment_id = span.deployment_id AND setting.effective_from <= day.day
       ORDER BY setting.effective_from DESC LIMIT 1),
      'provider')
  AND EXISTS (
      SELECT FROM subscriptions AS subscription
      JOIN subscription_versions AS version ON version.subscription_id = subscription.id
      JOIN plan_items AS item ON item.version_id = version.plan_version_id
      WHERE subscription.deployment_id = span.deployment_id AND item.resource_kind = 'bandwidth_gb'
        AND version.starts_on <= day.day AND (version.ends_on IS NULL OR version.ends_on > day.day))
GROUP BY day.day, resource.id, resource.provider_id
ORDER BY day.day, resource.id
LIMIT %(most)s::integer
