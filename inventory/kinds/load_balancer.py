"""Load balancers. Source: API reference, `GET /v2/load_balancers`."""

from arcadia_cloud.digitalocean.listing import Listing
from arcadia_cloud.digitalocean.records import LoadBalancerRecord
from inventory.kinds.spec import FULL, Detail, KindSpec, real_timestamp, sorted_json
from inventory.values import Kind, Observation


def to_observation(balancer: LoadBalancerRecord) -> Observation:
    """Map a load balancer. It has no tags: its `tag` names the droplets it serves, and so its owner.

    The API has no price. Its size is a number of nodes, or a name where it is older.
    """
    return Observation(
        provider_id=balancer.id,
        urn=f"do:loadbalancer:{balancer.id}",
        name=balancer.name,
        region=balancer.region.slug if balancer.region else "",
        status=balancer.status,
        # As if it were tagged so: it is then attributed as the droplets that it serves.
        tags=[balancer.tag] if balancer.tag else [],
        attrs={
            "type": balancer.type,
            "network": balancer.network,
            "size": balancer.size,
            "size_unit": balancer.size_unit,
            "algorithm": balancer.algorithm,
            "ip": balancer.ip,
            "ipv6": balancer.ipv6,
            "vpc_uuid": balancer.vpc_uuid,
            "droplet_ids": sorted(map(str, balancer.droplet_ids)),
            "forwarding_rules": sorted_json(
                {
                    "entry": f"{rule.entry_protocol}:{rule.entry_port}",
                    "target": f"{rule.target_protocol}:{rule.target_port}",
                    "certificate_id": rule.certificate_id,
                    "tls_passthrough": bool(rule.tls_passthrough),
                }
                for rule in balancer.forwarding_rules
            ),
            "redirect_http_to_https": bool(balancer.redirect_http_to_https),
        },
        created_at=real_timestamp(balancer.created_at),
        active=balancer.status == "active",
        sku=f"node x{balancer.size_unit}" if balancer.size_unit is not None else balancer.size or None,
    )


LOAD_BALANCER = KindSpec(
    kind=Kind.LOAD_BALANCER,
    listings=(Listing("/v2/load_balancers", "load_balancers", LoadBalancerRecord),),
    to_observation=to_observation,
    detail=Detail("/v2/load_balancers/{provider_id}", "load_balancer"),
    modes=FULL,
    in_projects=True,
)
