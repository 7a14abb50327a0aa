"""The nets as aarch64 programs, by qemu-user."""
