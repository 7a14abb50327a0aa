"""One heap for all threads, and large blocks by themselves."""

import json
import subprocess
import sys

import pytest

from edge.config.paths import REPO_ROOT

CODE = """
import ctypes, json, sys, threading
from edge.process.heap import steady_heap

class Counts(ctypes.Structure):  # struct mallinfo2
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]

if sys.argv[1] == "steady":
    steady_heap()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
libc.mallinfo2.restype = Counts

libc.free(libc.malloc(1_000_000))  # by which glibc learns to take smaller blocks from the heap
before = libc.mallinfo2().hblks
# What Pillow writes a picture through; the first ones may still fit into what is free in the heap.
kept = [libc.malloc(65_536 + 33) for _ in range(400)]
mapped = int(libc.mallinfo2().hblks - before > 300)

all_in = threading.Barrier(4)
def work():
    all_in.wait()
    blocks = [libc.malloc(20_000) for _ in range(50)]
    all_in.wait()
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
heaps = 0
for line in open("/proc/self/maps"):  # heaps of threads begin at multiples of 64 MB
    start, end = (int(one, 16) for one in line.split()[0].split("-"))
    heaps += line.split()[1] == "rw-p" and start % 2**26 == 0
print(json.dumps([mapped, heaps]))
"""


def measure(how: str) -> list[int]:
    done = subprocess.run(
        [sys.executable, "-c", CODE, how], cwd=REPO_ROOT, capture_output=True, text=True, check=True
    )
    mapped, heaps = json.loads(done.stdout)
    return [mapped, heaps]


@pytest.mark.skipif(sys.platform != "linux", reason="the heap is glibc's")
def test_threads_have_no_heaps_of_their_own_and_large_blocks_are_mapped() -> None:
    assert measure("steady") == [1, 0]
    mapped, heaps = measure("as it comes")
    assert (mapped, heaps > 0) == (0, True), "glibc does by itself what steady_heap is for"
