"""Three strikes: how a resource that the provider no longer lists becomes a tombstone.

Lists lag, pages shift, tokens lose scopes: one absence proves nothing. Only a complete run strikes, a run
that would strike most of a kind is stopped for a human, and the third strike is checked by id.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import F, Q

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderError, ProviderUnavailable
from arcadia_cloud.kernel.leases import HeldLease
from arcadia_cloud.kernel.queue.shutdown import is_stopping
from arcadia_cloud.kernel.sql import execute, fetch_one, load
from inventory.kinds.spec import KindSpec
from inventory.models import Resource, SyncRun
from inventory.observation.observe import ObservationContext, Origin, observe
from inventory.sync.reader import look_up
from inventory.values import PROVIDER, STRIKES_TO_DELETE, Kind

_STRIKE: Final = load(__package__, "strike.sql")
_TOMBSTONE: Final = load(__package__, "tombstone.sql")
# A run that would strike more than half of a kind's live resources, and more than this many, is suspicious.
_FEW: Final = 5
# The checks by id are calls per resource; what a run leaves over, the next one checks.
_CHECKS_PER_RUN = 200
_MOST_STRIKES: Final = 1000  # one that can't be asked for by its id is struck every hour, for years


@dataclass(frozen=True, slots=True)
class Absences:
    """The live resources that a complete run did not see."""

    live: int
    absent: int

    @property
    def is_suspicious(self) -> bool:
        return self.absent > _FEW and self.absent * 2 > self.live

    def __str__(self) -> str:
        return f"{self.absent} of {self.live} live resources were not in the list"


def count_absences(spec: KindSpec, began_at: datetime) -> Absences:
    """Count the live resources of the kind that were not seen since the reading began."""
    live = Resource.objects.live().filter(provider=PROVIDER, kind=spec.kind)
    absent = Q(last_seen_at__lt=began_at)
    return Absences(live=live.count(), absent=live.filter(absent).count())


# Strikes and the run's count together: a repeat of the run must not strike twice.
@transaction.atomic
def strike_absent(spec: KindSpec, run: SyncRun, began_at: datetime, held: HeldLease) -> int:
    """Give each live resource that was not seen since the reading began its strike; return how many.

    The reading may have begun in an earlier run.

    Fenced: raises LeaseLost, and strikes nothing, when another run of the kind may have begun.
    """
    held.assert_held()  # locks the lease's row: a run that took over meanwhile would strike a second time
    struck = execute(
        _STRIKE,
        {
            "provider": PROVIDER,
            "kind": str(spec.kind),
            "began_at": began_at,
            "most": _MOST_STRIKES,
        },
    )
    SyncRun.objects.filter(pk=run.pk).update(struck=struck)
    return struck


def tombstone_confirmed(
    spec: KindSpec, run: SyncRun, cloud: DigitalOcean, now: Callable[[], datetime], origin: Origin
) -> int:
    """Tombstone what has its three strikes and is gone by its own address too; return how many.

    One that answers there after all is observed instead, and loses its strikes. Raises ProviderError where
    one can't be asked for now: its strikes stay, the next complete run asks again, and those that were found
    gone before it are tombstoned all the same.
    """
    struck_out = Resource.objects.live().filter(
        provider=PROVIDER, kind=spec.kind, stale_strike_count__gte=STRIKES_TO_DELETE
    )
    gone: list[int] = []
    errors: list[ProviderError] = []
    # A run asks for so many at most; of more, at random: else the same ones would come every time.
    order = "?" if struck_out.count() > _CHECKS_PER_RUN else "pk"
    for resource in struck_out.order_by(order)[:_CHECKS_PER_RUN]:
        if is_stopping():
            break  # the next complete run asks for the others
        context = ObservationContext(at=now(), volatile=spec.volatile, ids_recur=spec.ids_recur)
        try:
            seen = look_up(spec, cloud, resource)
        except ProviderUnavailable as error:
            errors.append(error)
            break  # the next one would wait as long for nothing
        except ProviderError as error:
            errors.append(error)  # of this resource; one that can't be read mustn't keep the others alive
            continue
        # Written together at the end: the spans of all of them end in one statement.
        if seen is None:
            gone.append(resource.pk)
        else:
            observe(kind=spec.kind, observations=[seen], context=context, origin=origin)
    tombstoned = tombstone(gone, run=run, at=now(), origin=origin)
    if errors:
        raise errors[0]
    return tombstoned


def tombstone(pks: Sequence[int], *, run: SyncRun, at: datetime, origin: Origin) -> int:
    """Tombstone these resources: `deleted` in the history, their life ended when they were last seen.

    One that was seen again in the meantime stays alive.
    """
    if not pks:
        return 0
    with transaction.atomic():
        # Locked by a statement of its own, so that the next one sees every span of who held them until now.
        locked = Resource.objects.filter(pk__in=pks).order_by("provider_id").select_for_update()
        tombstoned = _tombstone(
            locked.values_list("pk", flat=True), strikes=STRIKES_TO_DELETE, at=at, origin=origin
        )
        SyncRun.objects.filter(pk=run.pk).update(deleted=F("deleted") + tombstoned)
    return tombstoned


def tombstone_removed(*, kind: Kind, provider_id: str, at: datetime, origin: Origin) -> bool:
    """Tombstone what its remover knows to be gone since `at`; False where there was no live row.

    It needs no strikes. Its life ended at `at`, unless it was seen since.
    """
    named = Resource.objects.live().filter(provider=PROVIDER, kind=kind, provider_id=provider_id)
    with transaction.atomic():
        # The condition with the lock: one that was seen after `at` lives on.
        pks = list(named.filter(last_seen_at__lte=at).select_for_update().values_list("pk", flat=True))
        Resource.objects.filter(pk__in=pks).update(last_seen_at=at)
        return _tombstone(pks, strikes=0, at=at, origin=origin) == 1


def _tombstone(pks: Iterable[int], *, strikes: int, at: datetime, origin: Origin) -> int:
    """Tombstone those of the rows that live and have so many strikes; return how many."""
    parameters = {
        "pks": list(pks),
        "strikes": strikes,
        "at": at,
        "actor": origin.actor,
        "source": origin.source,
    }
    return fetch_one(_TOMBSTONE, parameters, into=int) or 0
