"""What the default fleet has besides its droplets, the same for every seed.

Some of it only a tag gives to its tenant, some only a project, some a droplet that it hangs on; a few things
nobody owns, as it happens: a volume without a droplet, an address that nothing answers on.
"""

from datetime import datetime

from simulator.account import Account
from simulator.default_fleet import network, platforms, spaces, storage
from simulator.default_fleet.site import Estate


def furnish(account: Account, newest_at: datetime) -> None:
    """Put it into an account that has the default fleet's droplets. `newest_at`: when the latest was made."""
    estate = Estate(account, newest_at)
    platforms.place(estate)
    storage.place(estate)
    network.place(estate)
    spaces.place(estate)
