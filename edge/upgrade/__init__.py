"""An upgrade that has to prove itself: switches a release in, watches it, and goes back.

It is copied beside the releases, to /opt/mien/guard, and run there by the system's Python: it has to
work when the release that it watches does not. So it needs the standard library alone, and of
`edge.process` no more than what `setup/install_release.sh` copies along.
"""
