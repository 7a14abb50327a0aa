"""Every way in which Mien fails, each with one sentence and an exit code of its own."""

from typing import ClassVar


class MienError(Exception):
    """Something went wrong that a person can put right.

    The message is one sentence or two: what is wrong, and what to do about it.
    """

    exit_code: ClassVar[int] = 1


class SettingsError(MienError):
    """A setting or a command line is wrong."""

    exit_code = 2


class SensorError(MienError):
    """A camera, microphone or clip cannot be opened, or stopped delivering."""

    exit_code = 3


class ModelError(MienError):
    """A model file is missing, corrupt or not the one that the manifest names."""

    exit_code = 4


class OutputError(MienError):
    """A display, a light or an event channel cannot be opened or written to."""

    exit_code = 5


class LimitError(MienError):
    """The system gives the process too little memory or too few open files."""

    exit_code = 6


class ClipEnded(Exception):  # noqa: N818 - the end of a clip is no error
    """A clip that is not repeated has been read to its end: no failure, the end of the run."""
