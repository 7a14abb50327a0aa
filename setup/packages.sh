# shellcheck shell=bash
# Fills the virtual environment, fetches the models and makes the demo clip: each only when what it
# depends on has changed, so that a second run needs no network.

# Measured: 0.75 GB installed with the dev tools, and pip unpacks beside it.
NEEDED_MB=1500
DEMO_CLIP=$REPO_ROOT/var/demo.mp4
# The last of both: of the runtime before LiteRT, and of the numpy that it was built for.
TFLITE_RUNTIME=(tflite-runtime==2.14.0 numpy==1.26.4)

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

# constraint: holds numpy below 2 where apt's picamera2 was built for numpy 1 (Debian 12).
constraint() {
    if on_raspberry_pi && system_module picamera2 &&
        "$PY" -c 'import sys; from importlib.metadata import version; sys.exit(int(version("numpy").split(".")[0]) >= 2)' 2>/dev/null; then
        echo "numpy<2"
    fi
}

# fingerprint EXTRA: of everything that decides which packages are installed.
fingerprint() {
    {
        cat "$REPO_ROOT/pyproject.toml"
        echo "$VENV ${PY_VERSION} $(board_extra) $(constraint) $1"
    } | sha256sum | cut -c 1-64
}

# packages_are_installed: whether .venv holds what pyproject.toml asks for, dev tools aside.
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
    local extras=clip extra pip=("$VENV/bin/python" -m pip --disable-pip-version-check --no-input)
    for extra in "$(board_extra)" "$1"; do extras+=${extra:+,$extra}; done
    constraint >"$WORK/constraints.txt"
    # On a Pi /tmp is memory; pip unpacks hundreds of megabytes.
    export TMPDIR=$WORK/tmp
    rm -rf "$TMPDIR"
    mkdir -p "$TMPDIR"
    logged "${pip[@]}" install --upgrade pip || explain_pip
    # PYPI=1 lets lgpio carry its C library instead of looking for one that is installed.
    logged env PYPI=1 "${pip[@]}" install --constraint "$WORK/constraints.txt" --editable ".[$extras]" ||
        explain_pip
    rm -rf "$TMPDIR"
    unset TMPDIR
    fingerprint "$1" >"$VENV/.mien-packages${1:+-$1}"
    finish "installed"
}

# explain_pip: end with the likeliest reason why pip failed.
explain_pip() {
    local end
    end=$(tail -n 60 "$LOG")
    case $end in
        *"No space left"*) die_with_log "The disk is full; free $NEEDED_MB MB and run it again." ;;
        *NewConnectionError* | *"Failed to establish"* | *"name resolution"* | *unreachable* | *"Read timed out"*)
            die_with_log "The Python package index is out of reach; connect to a network and run it again." ;;
        *CERTIFICATE_VERIFY_FAILED*)
            # A Raspberry Pi has no clock of its own: until it has reached a time server it is in the past.
            die_with_log "The package index's certificate is not trusted; set the clock (now: $(date '+%F %H:%M')), or name your own authority with PIP_CERT, and run it again." ;;
        *"error: command"* | *"Failed building wheel"* | *"Failed to build"*)
            die_with_log "A package could not be compiled; the lines above name what is missing." ;;
        *) die_with_log "pip could not install Mien's packages; delete $VENV and run it again, and if it stays so report the lines above." ;;
    esac
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
    wanted="${TFLITE_RUNTIME[*]} Python ${PY_VERSION%.*}"
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
        install --no-deps --only-binary=:all: --target "$part/made" "${TFLITE_RUNTIME[@]}"; then
        echo "$wanted" >"$part/made/.mien-made"
        mv "$part/made" "$folder"
        finish "installed"
    else
        finish "not to be had now; its test will be skipped"
    fi
    rm -rf "$part"
}
