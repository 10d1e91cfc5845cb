"""The OpenAPI schema's words about the API as a whole. Settings read them: nothing of Django is imported."""

from collections.abc import Sequence
from typing import Final

API_DESCRIPTION: Final = """\
The control plane's API, for tenants and operators. `docs/api.md` walks through it by examples.

- **Tokens**: `Authorization: Bearer <JWT>`. A tenant's sees its own rows, the role `platform_admin` all.
- **Errors** are problem details (RFC 9457), as `application/problem+json`; `errors` names each field or
  parameter that is wrong. Those that don't exist are refused.
- **Lists** come in pages: follow `next` until it is null.
- **Repeats**: a POST that creates takes an `Idempotency-Key`; a PATCH needs `If-Match`.
- **Limits**: every answer to a token has `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset`.
- **Values**: whole minor units beside a `currency`, exact decimals as strings, times in RFC 3339 and UTC.
"""
API_GROUPS: Final[Sequence[dict[str, str]]] = [
    {"name": "catalog", "description": "What is sold: plans, add-ons, estimates; simulations of prices."},
    {"name": "deployments", "description": "App instances: states, subscriptions, add-ons, usage, quotes."},
    {"name": "metering", "description": "Usage: events sent in, records and sums read."},
    {"name": "inventory", "description": "Resources at the provider, with their history."},
    {"name": "events", "description": "The feed of what happened, by cursor."},
    {"name": "sagas", "description": "Changes of infrastructure: planned, started, watched, undone."},
    {"name": "drift", "description": "Resources that differ from their desired state. For operators."},
    {"name": "billing", "description": "What the provider invoiced, line by line. For operators."},
    {"name": "costs", "description": "Costs by day, margin, anomalies, leftovers, audit. For operators."},
    {"name": "health", "description": "Whether the service lives, and is ready. Public."},
]  # fmt: skip
