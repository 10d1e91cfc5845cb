"""Signs that something is wrong, and their merging: one concern per cause, the most severe first."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from arcadia_cloud.kernel.models import Alert

Cause = tuple[str, ...]
CRITICAL: Final = str(Alert.Severity.CRITICAL)
WARNING: Final = str(Alert.Severity.WARNING)
_SEVERITIES: Final = (CRITICAL, WARNING)
_LONGEST: Final = 240
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Button:
    """A dialog that mends something, by its address; for those who may."""

    name: str
    words: str
    icon: str
    href: str


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing of which something is known to be wrong, with the cause that it may share with others.

    `sentence` is about this thing alone; `about` names the cause where several things share it. `noun` and
    `name` are what the thing is counted as, and by. Of several signs of one thing the one of the highest
    `weight` speaks. `list_href` is of the list that has the things that share the cause.
    """

    cause: Cause
    severity: str
    sentence: str
    href: str
    about: str = ""
    noun: str = ""
    name: str = ""
    list_href: str = ""
    since: datetime | None = None
    owner: str = ""
    weight: int = 0
    button: Button | None = None


@dataclass(frozen=True, slots=True)
class Concern:
    """One cause that needs a hand, in a sentence that links to the thing itself."""

    severity: str
    text: str
    href: str
    since: datetime | None
    owner: str
    button: Button | None

    @property
    def since_words(self) -> str:
        """The time since when, UTC, with the day where it wasn't today by the clock of the page."""
        return "" if self.since is None else f"{self.since.astimezone(UTC):%-d %b %H:%M} UTC"

    @property
    def is_critical(self) -> bool:
        return self.severity == CRITICAL


def merge_signs(signs: Iterable[Sign]) -> list[Concern]:
    """Return a concern per cause: critical ones first, of each severity the oldest first."""
    by_cause: dict[Cause, list[Sign]] = {}
    for sign in signs:
        by_cause.setdefault(sign.cause, []).append(sign)
    concerns = [_concern_of(group) for group in by_cause.values()]
    return sorted(
        concerns,
        key=lambda concern: (_SEVERITIES.index(concern.severity), concern.since or _LONG_AGO, concern.text),
    )


def count_severities(concerns: Sequence[Concern]) -> str:
    """Return `1 critical, 2 warnings`; empty where there is none."""
    counts = Counter(concern.severity for concern in concerns)
    critical, warnings = counts[CRITICAL], counts[WARNING]
    words = [f"{critical} critical"] if critical else []
    words += [f"{warnings} warning{'' if warnings == 1 else 's'}"] if warnings else []
    return ", ".join(words)


def count_things(things: Iterable[tuple[str, str]]) -> str:
    """Return how many there are of each noun: `17 kinds and 1 invoice`."""
    counts = Counter(noun for noun, _name in sorted(set(things)))
    words = [f"{count} {noun}{'' if count == 1 else 's'}" for noun, count in counts.most_common()]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _concern_of(group: Sequence[Sign]) -> Concern:
    # The first of equals: alerts come in the order of their age.
    spokesman = max(group, key=lambda sign: sign.weight)
    things = [(sign.noun, sign.name) for sign in group if sign.noun]
    text, href = spokesman.sentence, spokesman.href
    if len(set(things)) > 1:
        about = next((sign.about for sign in group if sign.about), spokesman.sentence)
        text = f"{about}: {count_things(things)} affected"
        href = next((sign.list_href for sign in group if sign.list_href), href)
    owners = {sign.owner for sign in group}
    return Concern(
        severity=min((sign.severity for sign in group), key=_SEVERITIES.index),
        text=text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…",
        href=href,
        since=min((sign.since for sign in group if sign.since), default=None),
        # Taken only where all of it is: a second kind that fails isn't yet in anybody's hands.
        owner=spokesman.owner if len(owners) == 1 else "",
        button=spokesman.button,
    )
