# shellcheck shell=bash disable=SC2034 # names are read by the other pieces
# ./setup.sh rig soak|start: what is measured on this machine itself, with the packages of `run`.

# rig_soak soak|start [FLAGS]
rig_soak() {
    # Before an hour, and what makes it ready; where there is no Python yet, after it.
    PY=${PYTHON:-}
    if [ -n "$PY" ] || find_python; then
        PYTHONPATH=$REPO_ROOT PYTHONDONTWRITEBYTECODE=1 "$PY" -m tests.acceptance.soak.flags "$@" || exit 2
    fi
    prepare ""
    # prepare has let go of its lock: the soak takes an hour, and nothing else has to wait for it.
    if ! mkdir -p "$RIG" 2>/dev/null || [ ! -w "$RIG" ]; then
        die "$RIG cannot be written to; give yourself the folder with: sudo chown -R $(id -u) $RIG"
    fi
    heading "Proofs"
    PYTHONPATH=$REPO_ROOT PYTHONDONTWRITEBYTECODE=1 exec "$VENV/bin/python" -m tests.acceptance.soak "$RIG" "$@"
}
