"""Errors that end a conversion with one sentence."""

from edge.errors import MienError


class DataError(MienError):
    """Training data is missing, incomplete or not what its name says."""


class RecipeError(MienError):
    """A recipe file is missing a key, has an unknown one or a value out of range."""


class ConversionError(MienError):
    """A trained net could not be turned into an int8 model that agrees with it."""
