"""What an observation says, in sixteen bytes: a row with the same digest was written from one just like it.

The digest covers all that a row and its spans take from the provider. Left out is what tells whose a resource
is: a fast run reads no projects, and what decides may change while the resource stays as it is; `bump.sql`
looks at that for itself.
"""

from hashlib import sha256
from operator import attrgetter

import msgspec

from inventory.values import Observation

# Counted up when a row takes something else from the same observation: then every row is written anew once.
_EDITION = b"1"
_HEX_DIGITS = 32
_WHOSE = {
    "project_id",
    "deployment_id",
    "tenant_id",
    "decides",
    "tag_tenant",
    "tag_slug",
    "tag_objection",
    "digest",
}
_said_by = attrgetter(*(name for name in Observation.__struct_fields__ if name not in _WHOSE))
_encode = msgspec.msgpack.Encoder().encode


def digest_of(seen: Observation) -> str | None:
    """The digest, as PostgreSQL reads a bytea.

    None for what its maker observed: the maker's word decides anew each time.
    """
    if seen.tenant_id is not None or seen.deployment_id is not None:
        return None
    return "\\x" + sha256(_EDITION + _encode(_said_by(seen))).hexdigest()[:_HEX_DIGITS]
