"""Three strikes: how a resource that the provider no longer lists becomes a tombstone.

Lists lag, pages shift, tokens lose scopes: one absence proves nothing. Only a complete run strikes, a run
that would strike most of a kind is stopped for a human, and the third strike is checked by id.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import F, Q

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderError, ProviderUnavailable
from arcadia_cloud.kernel.leases import HeldLease
from inventory.kinds.spec import KindSpec
from inventory.models import Resource, ResourceQuerySet, SyncRun
from inventory.observation.observe import ObservationContext, Origin, observe
from inventory.statements import statement
from inventory.values import PROVIDER, STRIKES_TO_DELETE, Kind

_STRIKE, _TOMBSTONE = statement("strike.sql"), statement("tombstone.sql")
# A run that would strike more than half of a kind's live resources, and more than this many, is suspicious.
_FEW = 5
# The checks by id are calls per resource; what a run leaves over, the next one checks.
_CHECKS_PER_RUN = 200
_MOST_STRIKES = 1000  # one that can't be asked for by its id is struck every hour, for years


@dataclass(frozen=True, slots=True)
class Absences:
    """What a complete run did not see."""

    live: int
    absent: int

    @property
    def is_suspicious(self) -> bool:
        return self.absent > _FEW and self.absent * 2 > self.live

    def __str__(self) -> str:
        return f"{self.absent} of {self.live} live resources were not in the list"


def count_absences(entry: KindSpec, run: SyncRun) -> Absences:
    """How many live resources of the kind nobody has seen since the run began."""
    live = Resource.objects.live().filter(provider=PROVIDER, kind=entry.kind)
    absent = Q(last_seen_at__lt=run.started_at)
    return Absences(live=live.count(), absent=live.filter(absent).count())


@transaction.atomic
def strike_absent(entry: KindSpec, run: SyncRun, held: HeldLease) -> int:
    """Give each live resource that nobody has seen since the run began its strike; return how many.

    Fenced: raises LeaseLost, and strikes nothing, when another run of the kind may have begun.
    """
    held.assert_held()
    parameters: dict[str, str | int | datetime] = {
        "provider": PROVIDER,
        "kind": str(entry.kind),
        "began_at": run.started_at,
        "most": _MOST_STRIKES,
    }
    with connection.cursor() as cursor:
        cursor.execute(_STRIKE, parameters)
        struck: int = cursor.rowcount
    SyncRun.objects.filter(pk=run.pk).update(struck=struck)
    return struck


def tombstone_confirmed(
    entry: KindSpec, run: SyncRun, cloud: DigitalOcean, now: Callable[[], datetime], origin: Origin
) -> int:
    """Tombstone what has its three strikes and is gone by its own address too; return how many.

    What answers there after all is observed instead, and loses its strikes. Raises ProviderError when the
    provider can't tell of one now: its strikes stay, the next complete run asks again, and what was found
    gone before it is tombstoned all the same.
    """
    struck_out = Resource.objects.live().filter(
        provider=PROVIDER, kind=entry.kind, stale_strike_count__gte=STRIKES_TO_DELETE
    )
    gone: list[int] = []
    refusals: list[ProviderError] = []
    for resource in _some_of(struck_out):
        look = ObservationContext(at=now(), volatile=entry.volatile)
        try:
            seen = entry.look_up(cloud, resource)
        except ProviderUnavailable as refusal:
            refusals.append(refusal)
            break  # whoever is next would wait as long for nothing
        except ProviderError as refusal:
            refusals.append(refusal)  # of this resource; one that can't be read mustn't keep the others alive
            continue
        if seen is None:
            gone.append(resource.pk)
        else:
            observe(kind=entry.kind, observations=[seen], look=look, origin=origin)
    buried = tombstone(gone, run=run, at=now(), origin=origin)
    if refusals:
        raise refusals[0]
    return buried


def _some_of(struck_out: ResourceQuerySet) -> ResourceQuerySet:
    """As many as a run may ask for; drawn by lot where there are more, lest the same ones come every time."""
    too_many = struck_out.count() > _CHECKS_PER_RUN
    return struck_out.order_by("?" if too_many else "pk")[:_CHECKS_PER_RUN]


def tombstone(pks: Sequence[int], *, run: SyncRun, at: datetime, origin: Origin) -> int:
    """Tombstone these resources: `deleted` in the history, their life ended when they were last seen.

    One that was seen again in the meantime stays alive.
    """
    if not pks:
        return 0
    with transaction.atomic():
        # Locked by a statement of its own, so that the next one sees every span of who held them until now.
        locked = Resource.objects.filter(pk__in=pks).order_by("provider_id").select_for_update()
        held = list(locked.values_list("pk", flat=True))
        buried = _tombstone(held, strikes=STRIKES_TO_DELETE, at=at, origin=origin)
        SyncRun.objects.filter(pk=run.pk).update(deleted=F("deleted") + buried)
    return buried


def tombstone_removed(*, kind: Kind, provider_id: str, at: datetime, origin: Origin) -> bool:
    """Tombstone what its remover knows to be gone since `at`; False where there was no live row.

    It needs no strikes. Its life ended at `at`, unless somebody has seen it since.
    """
    named = Resource.objects.live().filter(provider=PROVIDER, kind=kind, provider_id=provider_id)
    with transaction.atomic():
        pks = list(named.filter(last_seen_at__lte=at).select_for_update().values_list("pk", flat=True))
        Resource.objects.filter(pk__in=pks).update(last_seen_at=at)
        return _tombstone(pks, strikes=0, at=at, origin=origin) == 1


def _tombstone(pks: Sequence[int], *, strikes: int, at: datetime, origin: Origin) -> int:
    """Bury those of the rows that live and have so many strikes; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            _TOMBSTONE,
            {
                "pks": list(pks),
                "strikes": strikes,
                "at": at,
                "actor": origin.actor,
                "source": origin.source,
            },
        )
        buried: int = cursor.fetchone()[0]
    return buried
