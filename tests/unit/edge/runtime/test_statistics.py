import math

from edge.runtime.statistics import RunReport, Statistics


def test_counts_are_added_and_of_ages_and_movements_the_greatest_is_kept() -> None:
    first = Statistics(1, 2, 3, 4, 0.15, 5.0, 6.0, 100.0, 7, 8)
    other = Statistics(10, 20, 30, 40, 0.05, 50.0, 60.0, 90.0, 70, 80)
    total = Statistics(11, 22, 33, 44, 0.15, 55.0, 66.0, 100.0, 77, 88)
    assert Statistics.total([first, other]) == total
    assert Statistics.total([other, first]) == total


def test_a_run_of_nothing_has_counted_nothing_and_seen_nothing_move() -> None:
    assert Statistics.total([]) == Statistics(0, 0, 0, 0, 0.0, 0.0, 0.0, -math.inf, 0, 0)


def test_report_is_two_lines_that_name_every_count() -> None:
    shown = tuple(enumerate(("happy", "unsure", "unsure", "happy", "sad", "happy")))
    report = RunReport(0, 12.4, 0.5, 300, 280, 15, 5, 0.9994, 0.02, 2, 9, shown, restarts=3)
    assert report.sentence() == (
        "12 s: 280 of 300 frames read, 15 dropped, 5 too old, oldest read 999 ms; 9 voice windows, "
        "2 sound overflows, 3 restarts of a part.\nShown: happy -> unsure -> happy -> sad -> happy"
    )
    assert RunReport(0, 0.0, 0.0).sentence() == (
        "0 s: 0 of 0 frames read, 0 dropped, 0 too old, oldest read 0 ms; 0 voice windows, "
        "0 sound overflows.\nShown: "
    )
    assert RunReport(0, 0.0, 0.0).face_s == 0.0
