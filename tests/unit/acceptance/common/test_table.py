"""The table of what came of the rig's proofs."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.acceptance.common.table import WIDTH, Proof, exit_code, table

words = st.text(st.characters(whitelist_categories=("Ll", "Nd")), min_size=1, max_size=12)
sentences = st.lists(words, min_size=1, max_size=40).map(" ".join)
outcomes = st.sampled_from(["passed", "FAILED", "not run"])
times = st.none() | st.floats(0, 999)
proofs = st.builds(Proof, sentences, outcomes, sentences, times)


@settings(max_examples=30, deadline=None)
@given(st.lists(proofs, max_size=4))
def test_table_shows_every_word_and_stays_in_its_width(made: list[Proof]) -> None:
    text = table("Title", made)
    assert all(len(line) <= WIDTH for line in text.splitlines())
    shown = text.split()
    for proof in made:
        for word in [*proof.what.split(), *proof.seen.split(), *proof.outcome.split()]:
            assert word in shown


def test_table_counts_each_outcome() -> None:
    made = [
        Proof("a", "passed", "", 1.0),
        Proof("b", "not run", "no root"),
        Proof("c", "passed", ""),
    ]
    assert table("T", made).endswith("2 passed, 0 FAILED, 1 not run")


@settings(max_examples=30, deadline=None)
@given(st.lists(proofs, max_size=4))
def test_only_a_failure_makes_the_exit_code_1(made: list[Proof]) -> None:
    assert exit_code(made) == (1 if "FAILED" in [proof.outcome for proof in made] else 0)
