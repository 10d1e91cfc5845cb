"""The pinned account: our tokens, of every purpose, must go on belonging to the account of this inventory."""

from django.db.models.functions import Now

from arcadia_cloud.digitalocean.errors import WrongAccount
from arcadia_cloud.digitalocean.records import AccountRecord
from inventory.models import CloudAccount
from inventory.values import PROVIDER


def require_pinned_account(account: AccountRecord) -> None:
    """Make sure that a token's account is the pinned one; the first account ever is pinned.

    Raises WrongAccount: to go on would take every resource of ours for lost.
    """
    # By the unique provider: of two first calls with tokens of two accounts, one is refused.
    pinned, _ = CloudAccount.objects.get_or_create(
        provider=PROVIDER,
        defaults={
            "team_uuid": account.team_uuid,
            "name": account.team_name,
            "pinned_at": Now(),
        },
    )
    if pinned.team_uuid != account.team_uuid:
        raise WrongAccount(
            f"the token belongs to account {account.team_uuid}, but this inventory is of "
            f"{pinned.name or 'account'} {pinned.team_uuid}"
        )
