"""The digest of an observation, in sixteen bytes: a row with the same one was written from an equal one.

The digest covers all that a row and its spans take from the provider. Left out is what the attribution rules
use: a fast run reads no projects, and an owner may change while the resource stays as it is; `bump.sql`
compares that for itself. So is `sku`, which follows from the rest.
"""

from hashlib import sha256
from operator import attrgetter
from typing import Final

import msgspec

from inventory.values import Observation

# Counted up when a row takes something else from the same observation: then every row is written anew once.
_EDITION: Final = b"1"
_HEX_DIGITS: Final = 32
_LEFT_OUT: Final = frozenset({
    "project_id", "deployment_id", "tenant_id", "can_attribute", "tag_tenant", "tag_slug", "tag_conflict",
    "sku", "digest",
})  # fmt: skip
_provider_fields = attrgetter(*(name for name in Observation.__struct_fields__ if name not in _LEFT_OUT))
_encode = msgspec.msgpack.Encoder().encode


def digest_of(seen: Observation) -> str | None:
    """Return the digest, as PostgreSQL reads a bytea; None for what a saga observed of its own.

    A saga's word on the owner decides anew each time.
    """
    # No digest, no shortcut in bump.sql: its owner must be compared each time.
    if seen.tenant_id is not None or seen.deployment_id is not None:
        return None
    return "\\x" + sha256(_EDITION + _encode(_provider_fields(seen))).hexdigest()[:_HEX_DIGITS]
