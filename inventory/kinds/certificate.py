"""TLS certificates. Source: API reference, `GET /v2/certificates`."""

from arcadia_cloud.digitalocean.listing import Listing
from arcadia_cloud.digitalocean.records import CertificateRecord
from inventory.kinds.spec import FULL, Detail, KindSpec, real_timestamp
from inventory.values import Kind, Observation


def to_observation(certificate: CertificateRecord) -> Observation:
    """Map a certificate. It is free; `not_after` is its end."""
    return Observation(
        provider_id=certificate.id,
        name=certificate.name,
        status=certificate.state,
        attrs={
            "type": certificate.type,
            "dns_names": sorted(filter(None, certificate.dns_names)),
            "not_after": certificate.not_after,
            "sha1_fingerprint": certificate.sha1_fingerprint,
        },
        created_at=real_timestamp(certificate.created_at),
        active=certificate.state == "verified",
    )


CERTIFICATE = KindSpec(
    kind=Kind.CERTIFICATE,
    listings=(Listing("/v2/certificates", "certificates", CertificateRecord),),
    to_observation=to_observation,
    detail=Detail("/v2/certificates/{provider_id}", "certificate"),
    modes=FULL,
)
