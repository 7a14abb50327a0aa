"""Which adapters there are: those that came with Mien, and those that other packages add.

An adapter is one file that ends in an `Adapter`: the model of its section of the settings, and the
functions that make the part from it. Rooms name their own adapters in `ADAPTERS`; other packages
name theirs by entry points of the groups in `ROOMS`. Both are loaded by name, as any host loads its
plug-ins: nothing here knows what an adapter does. What is wrong with a package is told in one
sentence (`Registry.problems`) and costs nobody else.
"""

import importlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, Generic, TypeVar

from edge.config.fields import Section

ROOMS: Final = {
    "mien.sensors": ("edge.sensors", "sensor"),
    "mien.outputs": ("edge.outputs", "output"),
    "mien.gates": ("edge.perception", "speech gate"),
}
"""The room of each group of entry points, and what a person would call what is in it."""

S = TypeVar("S", bound=Section)


class NoSettings(Section):
    """For adapters that have nothing to set."""


@dataclass(frozen=True)
class Adapter(Generic[S]):
    """One part that can be plugged in; each room has its own kinds."""

    settings: type[S]
    """Its section of the settings, named as the adapter; `NoSettings` for none."""


A = TypeVar("A", bound=Adapter[Any])


@dataclass(frozen=True)
class Source:
    """Where an adapter can be had, before anything of it is loaded."""

    group: str
    name: str
    load: Callable[[], object]
    package: str = ""
    """Name and version of the package that adds it; empty for Mien's own."""

    def __str__(self) -> str:
        return f"{ROOMS[self.group][1]} {self.name} of the package {self.package}"


class Registry:
    """All adapters, each loaded once, when it is first asked for."""

    def __init__(self, own: Iterable[Source], foreign: Iterable[Source] = ()) -> None:
        """Sort out which there are; loads none.

        Args:
            own: those that came with Mien.
            foreign: those that other packages add. One whose name is taken is left out.
        """
        self._sources = {source.name: source for source in own}
        self._loaded: dict[str, Adapter[Any]] = {}
        self._broken: set[str] = set()
        self._problems: list[str] = []
        for source in sorted(foreign, key=lambda source: (source.package, source.name)):
            if not re.fullmatch("[a-z][a-z0-9_]*", source.name):
                self._leave_out(source, "its name is not of small letters, digits and _")
            elif source.name in self._sources:
                self._leave_out(source, "there is another adapter of that name")
            else:
                self._sources[source.name] = source

    @property
    def problems(self) -> tuple[str, ...]:
        """One sentence, with the remedy, for each adapter that is left out."""
        return tuple(self._problems)

    @property
    def broken(self) -> Collection[str]:
        """Names of adapters that cannot be loaded: what is set for them is no mistake."""
        return self._broken

    def names(self, group: str) -> tuple[str, ...]:
        """The names of a group; loads nothing."""
        return tuple(name for name, source in self._sources.items() if source.group == group)

    def package(self, name: str) -> str:
        """Name and version of the package that adds the adapter *name*; empty for Mien's own."""
        return self._sources[name].package

    def all(self, kind: type[A], group: str) -> dict[str, A]:
        """The adapters of a *kind* by name, Mien's own first, without those that are left out."""
        found = ((name, self._load(name)) for name in self.names(group))
        return {name: adapter for name, adapter in found if isinstance(adapter, kind)}

    def sections(self, taken: Collection[str]) -> dict[str, type[Section]]:
        """The sections of sensors and outputs by name.

        Args:
            taken: names of sections that belong to no adapter.
        """
        sections: dict[str, type[Section]] = {}
        for name in (*self.names("mien.sensors"), *self.names("mien.outputs")):
            adapter = self._load(name)
            if adapter is None or not adapter.settings.model_fields:
                continue
            if name in taken:
                self._leave_out(self._sources.pop(name), f"[{name}] is a section of Mien's own")
            else:
                sections[name] = adapter.settings
        return sections

    def leave_out(self, name: str, why: Exception) -> None:
        """Do without the adapter *name* from now on, because it raised *why*.

        Raises:
            Exception: *why*, where the adapter is one of Mien's own.
        """
        source = self._sources[name]
        if not source.package:
            raise why
        self._broken.add(name)
        self._loaded.pop(name, None)
        self._leave_out(source, f"{type(why).__name__}: {why}")

    def _load(self, name: str) -> Adapter[Any] | None:
        if name not in self._loaded and name not in self._broken:
            try:
                self._loaded[name] = _checked(self._sources[name].load())
            except SystemExit as error:  # a script that was named as a module
                self.leave_out(name, RuntimeError(f"it ends the program with {error.code}"))
            except Exception as error:
                self.leave_out(name, error)
        return self._loaded.get(name)

    def _leave_out(self, source: Source, why: str) -> None:
        package = source.package.rpartition(" ")[0] or source.package
        self._problems.append(
            f"The {source} is left out ({' '.join(why.split())[:200]}): update that package, or "
            f"remove it with pip uninstall {package}."
        )


def _checked(adapter: object) -> Adapter[Any]:
    """*adapter*, unless its section could not be shown or does not hold without being set."""
    if not isinstance(adapter, Adapter):
        raise TypeError(f"it names no Adapter, but a {type(adapter).__name__}")
    adapter.settings().pin_claims()
    for name, info in adapter.settings.model_fields.items():
        if not info.description:
            raise TypeError(f"its setting {name} has no description")
    return adapter


def _own() -> Iterator[Source]:
    for group, (room, _) in ROOMS.items():
        for name in importlib.import_module(room).ADAPTERS:
            yield Source(group, name, partial(_adapter_of, f"{room}.{name}"))


def _adapter_of(module: str) -> object:
    return importlib.import_module(module).ADAPTER


def _foreign(points: Iterable[EntryPoint]) -> Iterator[Source]:
    for point in points:
        package = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
        yield Source(point.group, point.name, point.load, package)


@cache
def registry() -> Registry:
    """The adapters of this installation."""
    points = entry_points()
    return Registry(
        _own(), _foreign(point for group in ROOMS for point in points.select(group=group))
    )
