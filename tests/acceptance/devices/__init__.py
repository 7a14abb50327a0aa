"""The installed service with all its devices, in an emulated machine."""
