"""The installed service, run by systemd in a container."""
