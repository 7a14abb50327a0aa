"""Reading strace's log and judging its calls, without strace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.integration.leaks import Leaks, event_fault, faults, held, own_number
from tests.integration.strace import Call, read_calls, split, text_of


def hexed(text: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text)


def line(thread: int, call: str) -> str:
    return f"{thread} {call}\n"


def judged(*calls: str) -> list[str]:
    leaks = Leaks("/run/mien", ["/dev/i2c-1"])
    for call in read_calls([line(7, call) for call in calls]):
        leaks.judge(call)
    return leaks.finish(1)


def test_calls_that_others_interrupted_are_put_together() -> None:
    calls = list(
        read_calls(
            [
                line(7, "write(1<\\x61>, <unfinished ...>"),
                line(8, "openat(AT_FDCWD, <unfinished ...>"),
                line(7, '<... write resumed>"\\x62", 1) = 1'),
                line(7, "+++ exited with 0 +++"),
                line(8, '<... openat resumed>"\\x63", O_RDONLY) = -1 ENOENT (No such file)'),
                line(9, 'write(2<\\x61>, "\\x64", 1 <unfinished ...>'),
            ]
        )
    )
    assert calls == [
        Call("write", ("1<\\x61>", '"\\x62"', "1"), "1"),
        Call("openat", ("AT_FDCWD", '"\\x63"', "O_RDONLY"), "-1 ENOENT (No such file)"),
        Call("write", ("2<\\x61>", '"\\x64"', "1"), "?"),
    ]
    assert [call.failed for call in calls] == [False, True, True]


@given(st.binary(max_size=50))
def test_any_bytes_come_back(data: bytes) -> None:
    assert text_of(f'"{hexed(data)}"') == data


@given(
    st.lists(st.sampled_from(["a", "[{x=1, y=2}, 3]", "{a=htons(9), b}", '"\\x2c"']), max_size=6)
)
def test_arguments_are_parted_outside_of_brackets(parts: list[str]) -> None:
    assert split(", ".join(parts)) == tuple(parts)


@pytest.mark.parametrize(
    ("argument", "what", "number"),
    [
        (f"3<{hexed(b'/tmp/a b')}>", "/tmp/a b", ""),
        (f"3<{hexed(b'/dev/null')}<char 1:3>>", "/dev/null", ""),
        (f"3<{hexed(b'pipe:[12]')}>", "pipe:[12]", "12"),
        ("3<UNIX-STREAM:[12->34]>", "UNIX-STREAM:[12->34]", "12"),
        (f'3<UNIX-STREAM:[12->34,"{hexed(b"/run/x")}"]>', None, "12"),
        ("3<UDP:[127.0.0.1:99->10.0.0.1:53]>", "UDP:[127.0.0.1:99->10.0.0.1:53]", None),
    ],
)
def test_descriptors_tell_what_they_are(
    argument: str, what: str | None, number: str | None
) -> None:
    found = held(argument)
    assert what is None or found == what
    assert number is None or own_number(found) == number


FILE = f"3<{hexed(b'/tmp/frame.npy')}>"
PIPE = f"1<{hexed(b'pipe:[5]')}>"
NULL = f'"{hexed(b"/dev/null")}"'


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (f'write({FILE}, "\\x00", 1) = 1', "something written to /tmp/frame.npy"),
        (f'pwrite64({FILE}, "\\x00", 1, 0) = 1', "something written to /tmp/frame.npy"),
        (f'openat(AT_FDCWD, "{hexed(b"f")}", O_WRONLY|O_CREAT, 0644) = {FILE}', "opened for writ"),
        ('openat(AT_FDCWD, "\\x66", O_RDWR) = -1 EROFS (Read-only)', "f opened for writing"),
        ("openat2(AT_FDCWD, \"\\x66\", {flags=O_RDWR, mode=0}, 24) = 3<\\x66>", "opened for writing"),
        ("io_uring_setup(8, {flags=0}) = 3<\\x61>", "a way out that is not allowed"),
        ("syscall_0x1ff(0x1, 0x2) = 0", "a way out that is not allowed"),
        ("memfd_create(\"\\x66\", 0) = 3<\\x66>", "a way out that is not allowed"),
        ("socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3<TCP:[9]>", "a socket to a network"),
        ("socket(AF_PACKET, SOCK_RAW, 768) = 3<\\x61>", "a socket to a network"),
        ('sendto(3<UDP:[9]>, "\\x61", 1, 0, NULL, 0) = 1', "something written to UDP"),
        ('bind(3<UNIX:[9]>, {sa_family=AF_UNIX, sun_path="\\x2f\\x74"}, 5) = 0', "elsewhere than"),
        ("mmap(NULL, 9, PROT_READ|PROT_WRITE, MAP_SHARED, " + FILE + ", 0) = 0x7", "memory shared"),
        (f'unlink("{hexed(b"/etc/x")}") = 0', "something taken away"),
        (f'write({PIPE}, "\\xff\\xfe", 2) = 2', "bytes that are no text"),
    ],
)  # fmt: skip
def test_ways_out_are_found(call: str, expected: str) -> None:
    found = judged(call)
    assert len(found) == 1 and expected in found[0], found


@pytest.mark.parametrize(
    "calls",
    [
        [f"openat(AT_FDCWD, {NULL}, O_WRONLY) = 4<{hexed(b'/dev/null')}<char 1:3>>"],
        [f'write(4<{hexed(b"/dev/null")}<char 1:3>>, "\\xff"..., 9000) = 9000'],
        [f'openat(AT_FDCWD, "{hexed(b"/dev/i2c-1")}", O_RDWR) = -1 ENOENT (No such file)'],
        ["socket(AF_INET6, SOCK_DGRAM, IPPROTO_IP) = -1 EAFNOSUPPORT (Address family)"],
        ["syscall_0x2f000fdb(0x1) = -1 ENOSYS (Function not implemented)"],
        ["mmap(NULL, 9, PROT_READ, MAP_SHARED, " + FILE + ", 0) = 0x7"],
        ["mmap(NULL, 9, PROT_READ|PROT_WRITE, MAP_PRIVATE, " + FILE + ", 0) = 0x7"],
        [f'unlink("{hexed(b"/run/mien/events")}") = 0'],
        [f"pipe2([5<{hexed(b'pipe:[77]')}>, 6<{hexed(b'pipe:[77]')}>], O_CLOEXEC) = 0",
         f'write(6<{hexed(b"pipe:[77]")}>, "\\xff", 1) = 1'],
        ["execve(\"\\x61\", [\"\\x61\"], 0x7 /* 9 vars */) = 0"],
        [f'write({PIPE}, "{hexed(b"mien: The camera is gone.")}"..., 25) = 25'],
    ],
)  # fmt: skip
def test_what_stays_inside_is_no_finding(calls: list[str]) -> None:
    found = judged(*calls)
    assert [finding for finding in found if "in one go" not in finding] == []


def test_a_second_program_is_found() -> None:
    call = 'execve("\\x61", ["\\x61"], 0x7 /* 9 vars */) = 0'
    assert len(judged(call, call)) == 1


def test_events_of_a_flood_are_counted() -> None:
    bye = b'{"event":"bye","t":1}\n'
    assert faults(bye * 15, "here", 1) == []
    assert "40 events in 1 s" in faults(bye * 40, "here", 1)[0]


@pytest.mark.parametrize(
    "event",
    [
        '{"event":"bye","t":1.0,"t":2.0}',
        '{"event":"bye","t":"1.0"}',
        '{"event":"bye","t":[1.0]}',
        '{"event":"bye","t":true}',
        '{"event":"bye","t":1234567890123456}',
        '{"event":"bye","t":NaN1}',
        '{"event":"frame","t":1.0}',
        '{"event":"mood","gaze":[0.1,0.2,0.3]}',
        '{"event":"mood","face":{"pixels":[1]}}',
        '{"event":"mood","probabilities":{"happy":{"x":1}}}',
        '{"event":"mood","shown":"' + "q" * 70 + '"}',
        '{"event":"notice","text":"' + "word " * 90 + '"}',
        "[1]",
        "{",
    ],
)
def test_events_with_anything_else_in_them_are_refused(event: str) -> None:
    assert event_fault(event.encode())
