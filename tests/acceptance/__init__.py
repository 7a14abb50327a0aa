"""The acceptance rig, run by `./setup.sh rig`; docs/acceptance.md tells what it proves."""
