"""What concerns the process as a whole: systemd, signals, network, native libraries, foreign files."""
