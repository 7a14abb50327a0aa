# shellcheck shell=bash
# Fills the virtual environment, fetches the models and makes the demo clip: each only when what it
# depends on has changed, so that a second run needs no network.

# Measured: 0.9 GB installed, 1.1 GB with the dev tools, and pip unpacks beside it.
NEEDED_MB=2000
DEMO_CLIP=$REPO_ROOT/var/demo.mp4

# board_extra: the extra of pyproject.toml for the GPIO of this board.
board_extra() {
    if on_jetson; then
        echo jetson
    elif on_raspberry_pi; then
        # RPi.GPIO reaches for registers and sysfs numbers that the Pi 5 and kernels since 6.6 do
        # not have any more.
        if [[ $(board) == "Raspberry Pi 5"* ]] || kernel_is_at_least 6 6; then echo pi; else echo pi-classic; fi
    fi
}

kernel_is_at_least() {
    local major minor
    IFS=.- read -r major minor _ < <(uname -r)
    [ "$major" -gt "$1" ] || { [ "$major" -eq "$1" ] && [ "$minor" -ge "$2" ]; }
}

# locks EXTRA: the parts of the lock (docs/decisions/018-lock.md) with what this machine needs, and with
# the packages of EXTRA.
locks() {
    local name run=run
    # apt's picamera2 was built for numpy 1 on Debian 12, and does not load with a later one.
    if on_raspberry_pi && system_module picamera2 &&
        "$PY" -c 'import sys; from importlib.metadata import version; sys.exit(int(version("numpy").split(".")[0]) >= 2)' 2>/dev/null; then
        run="run-numpy1"
    fi
    for name in build "$run" "$(board_extra)" "$1"; do
        if [ -n "$name" ]; then echo "$name"; fi
    done
}

# fingerprint EXTRA: of everything that decides which packages are installed.
fingerprint() {
    local name
    {
        cat "$REPO_ROOT/pyproject.toml"
        for name in $(locks "$1"); do cat "$REPO_ROOT/locks/$name.txt"; done
        echo "$VENV $PY_VERSION"
        locks "$1"
    } | sha256sum | cut -c 1-64
}

# packages_are_installed: whether .venv holds what the lock says, dev tools aside.
packages_are_installed() {
    stamp_holds "" || stamp_holds dev
}

stamp_holds() {
    [ -x "$VENV/bin/mien" ] && [ "$(cat "$VENV/.mien-packages${1:+-$1}" 2>/dev/null)" = "$(fingerprint "$1")" ]
}

install_packages() {
    step "Python packages"
    if stamp_holds "$1" || { [ -z "$1" ] && packages_are_installed; }; then
        finish "ready"
        return
    fi
    local name names flags=()
    mapfile -t names < <(locks "$1")
    for name in "${names[@]}"; do flags+=(--requirement "$REPO_ROOT/locks/$name.txt"); done
    # On a Pi /tmp is memory; pip unpacks hundreds of megabytes.
    export TMPDIR=$WORK/tmp
    rm -rf "$TMPDIR"
    mkdir -p "$TMPDIR"
    install_build_tools
    install_compiled "${names[@]}"
    pip_install --require-hashes "${flags[@]}"
    # Mien itself: all that it needs is there now.
    pip_install --no-index --editable .
    rm -rf "$TMPDIR"
    unset TMPDIR
    fingerprint "$1" >"$VENV/.mien-packages${1:+-$1}"
    finish "installed"
}

# pip_install WHAT...: nothing but that, made with the build tools that are there already.
pip_install() {
    # PYPI=1 lets lgpio carry its C library instead of looking for one that is installed.
    logged env PYPI=1 "$VENV/bin/python" -m pip --disable-pip-version-check --no-input install \
        --no-deps --no-build-isolation "$@" || explain_pip
}

# install_build_tools: pip, and what it makes packages with that come as source.
install_build_tools() {
    pip_install --require-hashes --requirement "$REPO_ROOT/locks/build.txt"
}

# locked ARCH PYTHON PART...: what those parts of the lock hold for that machine.
locked() {
    "$VENV/bin/python" "$REPO_ROOT/setup/lock.py" list "$@"
}

# explain_pip: end with the likeliest reason why pip failed.
explain_pip() {
    local reason
    reason=$(tail -n 60 "$LOG" | "$PY" "$REPO_ROOT/edge/process/pip_errors.py" "Mien's packages" "$NEEDED_MB") || true
    [ -z "$reason" ] || die_with_log "$reason"
    die_with_log "pip could not install Mien's packages; delete $VENV and run it again, and if it stays so report the lines above."
}

fetch_models() {
    step "Face detectors"
    local result=0 last
    logged "$VENV/bin/python" -m edge.fetch || result=$?
    last=$(tail -n 1 "$LOG")
    case "$result $last" in
        "0 everything is there already") finish "ready" ;;
        "0 "*) finish "fetched and checked" ;;
        *" mien: "*) die "${last#mien: }" ;;
        *) die_with_log "The face detectors could not be fetched; run it again." ;;
    esac
}

make_demo_clip() {
    step "Demo clip"
    local recipe part=$REPO_ROOT/var/.demo-part.mp4
    recipe=$(cat "$REPO_ROOT"/edge/demo/*.py | sha256sum | cut -c 1-64)
    if [ -f "$DEMO_CLIP" ] && [ "$(cat "$REPO_ROOT/var/demo.stamp" 2>/dev/null)" = "$recipe" ]; then
        finish "ready"
        return
    fi
    logged "$VENV/bin/python" -m edge.demo --out "$part" --portrait "$REPO_ROOT/var/astronaut.png" ||
        die_with_log "The demo clip could not be made; run it again, or run Mien on a camera or a clip of your own."
    mv "$part" "$DEMO_CLIP"
    echo "$recipe" >"$REPO_ROOT/var/demo.stamp"
    finish "made"
}

# install_tflite_runtime: for the test that compares it with LiteRT; in a folder of its own, because
# .venv has numpy 2. Without it that test is skipped, so that failing to get it ends nothing.
install_tflite_runtime() {
    step "tflite-runtime"
    local folder=$REPO_ROOT/var/tflite_runtime part=$REPO_ROOT/var/.tflite-part wanted
    local lock=$REPO_ROOT/locks/tflite-runtime.txt
    wanted="$(sha256sum <"$lock") Python ${PY_VERSION%.*}"
    case $PY_VERSION in
        3.10.* | 3.11.*) ;;
        *)
            rm -rf "$folder"
            finish "there is none for Python ${PY_VERSION%.*}"
            return
            ;;
    esac
    if [ "$(cat "$folder/.mien-made" 2>/dev/null)" = "$wanted" ]; then
        finish "ready"
        return
    fi
    rm -rf "$folder" "$part"
    mkdir -p "$part/tmp"
    if logged env TMPDIR="$part/tmp" "$VENV/bin/python" -m pip --disable-pip-version-check --no-input \
        install --no-deps --only-binary=:all: --require-hashes --target "$part/made" --requirement "$lock"; then
        echo "$wanted" >"$part/made/.mien-made"
        mv "$part/made" "$folder"
        finish "installed"
    else
        finish "not to be had now; its test will be skipped"
    fi
    rm -rf "$part"
}
