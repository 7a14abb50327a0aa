"""Runs tests against one mutant, in a fork of this process: libraries are loaded only once."""

import builtins
import importlib.util
import os
import signal
import sys
import time
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType
from typing import Any

import hypothesis.strategies
import numpy as np
import pytest
from cosmic_ray.exceptions import CosmicRayTestingException

from tests.mutation.mutants import Mutant

_LOADED_ONCE = (np, pytest, hypothesis.strategies)

# What a mutated `except` waits for in vain.
setattr(builtins, CosmicRayTestingException.__name__, CosmicRayTestingException)


class _Mutated(SourceFileLoader):
    source = ""

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.source, self.path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    """Finds the mutant in the place of its module."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant, self._module = mutant, mutant.file.removesuffix(".py").replace("/", ".")

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if fullname != self._module:
            return None
        loader = _Mutated(fullname, os.path.abspath(self._mutant.file))
        loader.source = self._mutant.source
        return importlib.util.spec_from_file_location(fullname, loader.path, loader=loader)


class _QuickFirst:
    """Most mutants are seen by the first examples: properties, which try many, come last."""

    @staticmethod
    def pytest_collection_modifyitems(items: list[Any]) -> None:
        items.sort(key=lambda item: hasattr(item.obj, "hypothesis"))


def start(tests: tuple[str, ...], mutant: Mutant | None) -> int:
    """Begin to test *mutant*, or the module as it is; the number of the process."""
    child = os.fork()
    if child:
        return child
    code = 3
    try:
        os.setsid()  # so that what it starts can be ended with it
        quiet = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(quiet, stream)
        sys.dont_write_bytecode = True
        if mutant is not None:
            sys.meta_path.insert(0, _Finder(mutant))
        # The same examples each time: a score is not to depend on luck.
        hypothesis.settings.register_profile(
            "mutation", derandomize=True, max_examples=30, deadline=None
        )
        options = ["-x", "-q", "-p", "no:cacheprovider", "--hypothesis-profile=mutation"]
        code = int(pytest.main([*options, *tests], plugins=[_QuickFirst()]))
    finally:
        os._exit(code)


def time_alone(tests: tuple[str, ...]) -> float:
    """Seconds that *tests* take.

    Raises:
        RuntimeError: they fail on the module as it is.
    """
    began_s = time.monotonic()
    _, status = os.waitpid(start(tests, None), 0)
    if status:
        raise RuntimeError(f"{' '.join(tests)} fail without a mutant: mend them first.")
    return time.monotonic() - began_s


def end(child: int) -> None:
    """Kill a trial and all that it has started."""
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
