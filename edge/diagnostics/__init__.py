"""What tells a person how Mien and the machine are doing: doctor, devices, bench, explain."""
