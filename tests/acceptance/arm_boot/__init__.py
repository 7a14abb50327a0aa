"""The installed service in a booted aarch64 machine."""
