import threading

from edge.mailbox import Mailbox


def test_keeps_only_the_newest_item_and_counts_the_rest() -> None:
    box: Mailbox[int] = Mailbox()
    for number in range(1000):
        box.put(number)
    assert box.take(0) == 999
    assert box.take(0.01) is None
    assert (box.put_count, box.dropped) == (1000, 999)


def test_wakes_a_waiting_taker() -> None:
    box: Mailbox[str] = Mailbox()
    got: list[str | None] = []
    taker = threading.Thread(target=lambda: got.append(box.take(5)))
    taker.start()
    box.put("letter")
    taker.join(5)
    assert got == ["letter"]
