"""The countable rules of the house, kept over the shipped code. `tests.house.measure` prints the figures."""

from collections.abc import Sequence

import pytest

from tests.house import measure, words
from tests.house.source import MEASURED, SHIPPED, TESTED

pytestmark = pytest.mark.xdist_group("house")  # one worker reads the files, once for all

MOST_SINGLE_USES = 6  # private functions per 1,000 lines
FEWEST_COMMENTS, MOST_COMMENTS = 3, 6  # per 100 lines


@pytest.fixture(autouse=True)
def _empty_valkey() -> None:
    """Take the place of the fixture that empties Valkey: files are read here, no server is needed."""


def none_of(findings: Sequence[str], rule: str) -> None:
    if findings:
        pytest.fail(f"{rule}: {len(findings)} don't keep it\n" + "\n".join(findings), pytrace=False)


def test_no_modules_import_each_other_in_a_circle() -> None:
    none_of(measure.import_cycles(), "imports go one way")


def test_imports_stand_at_the_top_of_their_module() -> None:
    none_of(measure.function_level_imports(*SHIPPED, *TESTED), "no function holds an import")


def test_files_are_short_enough_to_read_at_one_sitting() -> None:
    none_of(measure.long_files(), f"a file has at most {measure.LONGEST_FILE} lines")


def test_a_private_function_earns_its_jump() -> None:
    rate = measure.single_use_private_functions(*MEASURED)
    short = measure.short_single_use_private_functions(*MEASURED)
    assert rate.value < MOST_SINGLE_USES, (
        f"single-use private functions: {rate}, under {MOST_SINGLE_USES} are allowed.\n"
        f"The most stand in\n{measure.worst_files(rate.findings)}\n"
        f"Inline first the short ones, {short}:\n" + "\n".join(short.findings)
    )


def test_comments_are_neither_rare_nor_everywhere() -> None:
    rate = measure.comments(*MEASURED)
    assert FEWEST_COMMENTS <= rate.value <= MOST_COMMENTS, (
        f"comments: {rate}, {FEWEST_COMMENTS} to {MOST_COMMENTS} are wanted.\n"
        f"The most stand in\n{measure.worst_files(rate.findings)}"
    )


def test_docstrings_begin_with_a_verb_or_a_thing() -> None:
    openings = ", ".join(words.DOCSTRING_OPENINGS)
    none_of(measure.docstring_openings(), f"a docstring's first word is none of {openings}")


def test_docstrings_use_the_words_of_the_trade() -> None:
    none_of(measure.docstring_words(), "no docstring has a figure of speech")


def test_modules_are_named_by_nouns() -> None:
    none_of(measure.gerund_modules(), "a module is named by no gerund")


def test_types_are_named_by_nouns() -> None:
    none_of(measure.participle_types(), "a type is named by no participle")


def test_private_functions_are_named_by_verbs() -> None:
    none_of(measure.participle_functions(), "a private function is named by no participle")


def test_who_acts_is_called_the_actor() -> None:
    none_of(measure.actor_parameters(), "the parameter for who acts is `actor`")


@pytest.mark.parametrize(
    "replaced",
    [
        measure.old_identifiers,
        measure.old_definitions,
        measure.old_modules,
        measure.old_statements,
        measure.old_labels,
    ],
)
def test_replaced_names_stay_away(replaced: measure.Count) -> None:
    none_of(replaced(), "the trade's word stands in place of the figure of speech")
