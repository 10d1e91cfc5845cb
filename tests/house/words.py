"""The words that the house has given up, and the few that only look like them."""

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words, or several in a row, of any identifier: `told` refuses `told_to_finance` and `REFUSALS_TOLD`.
IDENTIFIER_WORDS: Final = _words("""
    nobody nobodys whose tell tells told telling untold bury buries burying buried
    walk walks walked walking walker patient patiently impatient lend lends lent hand hands sight standing
    keeper stray strays settling sweeping verdict beside unsound respan halfway objection estate shelf
    in_words in_order room_for require_room no_room not_to_be own_all_along hand_over take_over changed_hands
    turn_back turned_back go_back going_back goes_on let_wait as_kept unless_sure is_fit claim_of
    undo_retries undo_failed undo_failures match_again read_through
    observing performing presenting pushing reconciling rematching seeding
""")

# Whole identifiers, good as a part of longer ones: `CircuitBreaker`, `LogEntry`, `give_up_after`.
IDENTIFIERS: Final = _words("""
    Boundary Breaker Completed Entry Failed Held Ingested Kept KindEntry Later Look Observed Pushed
    Seeded StepFailed Swept binding_cursor decides give_up lag_ends_at mark_of woken
""")

# Functions and classes; elsewhere these words are Django's, the simulator's or plain English.
DEFINITIONS: Final = {
    "arcadia_cloud/console": _words("look"),
    "arcadia_cloud/kernel": _words("Answer page_of send_now"),
    "billing": _words("Table fetched reconsider spool"),
    "inventory": _words("identity only plain since"),
    "provisioning": _words("passing perform"),
}

MODULES: Final = _words("""
    arcadia_cloud.console.appearance arcadia_cloud.console.stages arcadia_cloud.kernel.impatient
    arcadia_cloud.kernel.seeding billing.naming billing.products billing.pushing billing.reconciling
    billing.rematching inventory.arrivals inventory.assignment inventory.claims inventory.observing
    inventory.reading provisioning.admin.hands provisioning.engine.boundaries provisioning.engine.performing
    provisioning.settling provisioning.starting provisioning.strays provisioning.sweeping simulator.estate
    simulator.kinds simulator.shelf
""")

STATEMENTS: Final = _words("""
    alone decided go_back hand_over_spans keep_lines let_wait match_again own_all_along pair respan strays
    take_over_spans told whose
""")

LABELS: Final = (
    "Walked by", "Goes on", "What its steps have put", "What only its kind has", "How it adds up", "Nobody's",
)  # fmt: skip

DOCSTRING_OPENINGS: Final = ("What", "Whose", "Who", "How", "Where")
DOCSTRING_WORDS: Final = _words("""
    nobody tell tells told telling untold say says said bury buries buried lend lends lent patient
    patiently impatient keeper keepers strays settling sweeping verdict verdicts sight walk walks walked
""")

# Nouns of the trade that end as a gerund does.
NOUNS_IN_ING: Final = _words("""
    billing formatting listing matching metering paging pricing provisioning rating scoping streaming string
    throttling
""")

# The model of the table `cloud_provisioned`: rows of content types and permissions carry its name.
TYPES_IN_ED: Final = _words("Provisioned")
VERBS_IN_ED: Final = _words("embed exceed feed need proceed seed shed speed succeed")
IRREGULAR_PARTICIPLES: Final = _words("""
    begun broken brought built chosen done drawn driven fallen found given gone held kept known left lost
    made meant met paid seen sent shown sold spent stood swept taken thrown told undone went woken written
""")
