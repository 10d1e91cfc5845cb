"""The fleets by name; each account gets one when it is created.

They are the same for every seed, so that demo data can rely on their names, tags and projects: `droplets`
(three tenants with a project each, droplets whose owner follows from a tag alone or from a project alone, one
without an owner, and a GPU droplet), `default` (the same and all other kinds, see `simulator.default_fleet`),
and `reference` (five droplets, nothing else). No project is called `skyai-internal`: a client that needs it
creates it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from typing import Final

from simulator.account import NEWEST_CREATED_ON, Account
from simulator.default_fleet import add_other_resources
from simulator.default_fleet import droplets as default_droplets
from simulator.fleet_builder import FleetBuilder
from simulator.reference_fleet import DROPLETS as REFERENCE_DROPLETS
from simulator.synthetic_resources import add_synthetic_resources

_PROJECT_AGE_DAYS: Final = 500
FLEETS: Final = {
    "default": default_droplets.DROPLETS,
    "droplets": default_droplets.DROPLETS,
    "reference": REFERENCE_DROPLETS,
    "empty": (),
}
_PROJECTS: Final = {
    "default": ("acme", "globex", "initech"),
    "droplets": ("acme", "globex", "initech"),
    "reference": ("acme", "globex"),
    "empty": (),
}


def populate_account(account: Account, *, fleet: str, load: Mapping[str, int]) -> None:
    """Create the default project, the fleet's projects and droplets, and the load."""
    newest = min(account.clock.now().date(), NEWEST_CREATED_ON)
    newest_at = datetime.combine(newest, time_of_day(), UTC)
    opened_at = newest_at - timedelta(days=_PROJECT_AGE_DAYS)
    account.projects.add(
        name="arcadia",
        description="Update your project information under Settings",
        purpose="Operational / Developer tooling",
        environment="Production",
        owner=account.uuid,
        at=opened_at,
    )
    for name in _PROJECTS[fleet]:
        account.projects.add(
            name=name,
            description=f"What runs for {name}",
            purpose="Service or API",
            environment="Production",
            owner=account.uuid,
            at=opened_at,
        )
    builder = FleetBuilder(account, newest_at)
    for number, droplet in enumerate(FLEETS[fleet]):
        builder.add_droplet(droplet, number)
    if fleet == "default":
        add_other_resources(builder)
    # By age, so that ids ascend with time; before the load, which stores the synthetic droplets it changes.
    for member in sorted(account.droplets.iter_stored(), key=lambda each: each.created_at):
        account.actions.add_creation(member)
    add_synthetic_resources(builder, load)
    account.register_tags(account.droplets.synthetic.list_tags())
