"""Upgrades to releases that are broken, in the container: each has to end on the old one."""
