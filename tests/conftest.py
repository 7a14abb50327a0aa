"""What holds for every test."""

from hypothesis import settings

# A busy machine is no failure: how long an example takes says nothing about what it shows.
settings.register_profile("mien", deadline=None)
settings.load_profile("mien")
