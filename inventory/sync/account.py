"""The pinned account: our tokens must go on belonging to the account that this inventory is of."""

from datetime import datetime

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.kernel.errors import Conflict
from inventory.models import CloudAccount
from inventory.values import PROVIDER


class WrongAccount(Conflict):
    """The token belongs to another account than the one pinned."""

    code = "wrong_account"


def assert_pinned(cloud: DigitalOcean, *, at: datetime) -> CloudAccount:
    """Make sure that the client's token is of the pinned account; the first one ever is pinned.

    Raises WrongAccount: syncing on would take every resource of ours for lost.
    """
    account = cloud.account()
    # Of two first syncs at once the unique constraint lets one pin; the other reads what it pinned.
    pinned, _ = CloudAccount.objects.get_or_create(
        provider=PROVIDER,
        defaults={"team_uuid": account.team_uuid, "name": account.team_name, "pinned_at": at},
    )
    if pinned.team_uuid != account.team_uuid:
        raise WrongAccount(
            f"the token belongs to account {account.team_uuid}, but this inventory is of "
            f"{pinned.name or 'account'} {pinned.team_uuid}"
        )
    return pinned
