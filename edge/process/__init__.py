"""What concerns the process as a whole: systemd, signals, its network, its native libraries."""
