# shellcheck shell=bash
# Finds out which system packages are missing, by what is really needed rather than by name, and
# installs them.

DEVICE_TREE_MODEL=/proc/device-tree/model
# More for apt-get: where a bundle's packages lie.
APT_OPTIONS=()

# board: its model. Mien reads it as well (edge/hardware); here it is wanted while there may be no Python.
board() {
    tr -d '\0' 2>/dev/null <"$DEVICE_TREE_MODEL" || true
}

on_raspberry_pi() {
    [[ $(board) == "Raspberry Pi"* ]]
}

on_jetson() {
    [[ $(board) == *NVIDIA* || $(board) == *Jetson* ]]
}

can_install() {
    [ "$(id -u)" -eq 0 ] || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

# apt_install PACKAGE...: with the package lists fetched first, for a machine that has none yet.
apt_install() {
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 -o Acquire::Retries=2 "${APT_OPTIONS[@]}" -y)
    # A third party's broken list is no reason to stop; the installation below says what is.
    logged as_root "${apt[@]}" update || true
    logged as_root "${apt[@]}" install --no-install-recommends "$@" ||
        die_with_log "apt-get could not install $*; check the network and run: sudo apt-get update && sudo apt-get install $*"
}

# missing_libraries: the apt packages of the shared libraries that do not load.
missing_libraries() {
    "$PY" "$REPO_ROOT/edge/diagnostics/checks/libraries.py"
}

# missing_build_tools: what PyAudio, which has no wheels, needs to be compiled.
missing_build_tools() {
    local compiler include
    compiler=$(command -v cc || command -v gcc || true)
    include=$("$PY" -c 'import sysconfig; print(sysconfig.get_paths()["include"])')
    [ -f "$include/Python.h" ] || apt_name dev
    if [ -z "$compiler" ]; then
        printf '%s\n' gcc libc6-dev portaudio19-dev
        return
    fi
    can_include "$compiler" stdio.h || echo libc6-dev
    can_include "$compiler" portaudio.h || echo portaudio19-dev
}

# missing_gpio_tools: what lgpio, on which rpi-lgpio stands, needs where it has no wheel.
missing_gpio_tools() {
    if [ "$(board_extra)" = pi ] && [[ $PY_VERSION == 3.13.* ]] && ! command -v swig >/dev/null &&
        ! { system_module picamera2 && system_module lgpio; }; then
        echo swig
    fi
}

can_include() {
    printf '#include <%s>\n' "$2" | "$1" -E -x c - >/dev/null 2>&1
}

# apt_name dev|venv: that package for the chosen Python.
apt_name() {
    if [ "$("$PY" -c 'import sys; print(sys.prefix)')" = /usr ]; then
        "$PY" -c 'import sys; print("python%d.%d-" % sys.version_info[:2] + sys.argv[1])' "$1"
    else
        echo "python3-$1"
    fi
}

# missing_packages: every apt package without which set-up cannot go on.
missing_packages() {
    "$PY" -c 'import ensurepip, venv' 2>/dev/null || apt_name venv
    missing_libraries
    if ! packages_are_installed; then
        missing_build_tools
        missing_gpio_tools
    fi
}

# wished_packages EXTRA: those without which Mien runs, but does less; with "dev" those of the tests.
wished_packages() {
    # Recordings of spoken words, for the demo clip, and arecord to try a microphone with.
    [ -f /usr/share/sounds/alsa/Front_Center.wav ] || echo alsa-utils
    if on_raspberry_pi && ! system_module picamera2; then echo python3-picamera2; fi
    if [ "${1:-}" = dev ] && ! command -v strace >/dev/null; then echo strace; fi
}

# install_system_packages EXTRA: all of them, for the packages of EXTRA as well.
install_system_packages() {
    step "System packages"
    local missing wished
    mapfile -t missing < <(missing_packages | sort -u)
    mapfile -t wished < <(wished_packages "${1:-}")
    local all=("${missing[@]}" "${wished[@]}")
    if [ ${#missing[@]} -eq 0 ] && [ ${#wished[@]} -eq 0 ]; then
        finish "all there"
    elif ! command -v apt-get >/dev/null; then
        [ ${#missing[@]} -eq 0 ] ||
            die "Something is missing, and there is no apt-get to install it: install what your system calls ${missing[*]}."
        finish "enough"
    elif can_install; then
        if [ ${#missing[@]} -gt 0 ]; then apt_install "${missing[@]}"; fi
        if [ ${#wished[@]} -gt 0 ]; then wish_for "${1:-}" "${wished[@]}"; fi
        mapfile -t missing < <(missing_packages | sort -u)
        [ ${#missing[@]} -eq 0 ] ||
            die "After installing them, ${missing[*]} still cannot be used by $PY; choose the system's own Python with PYTHON=/usr/bin/python3 ./setup.sh run"
        finish "installed"
    elif [ ${#missing[@]} -gt 0 ]; then
        die "System packages are missing; run this and then ./setup.sh again: sudo apt-get update && sudo apt-get install -y ${all[*]}"
    else
        finish "enough (better with: sudo apt-get install ${wished[*]})"
    fi
}

# wish_for EXTRA PACKAGE...: install them if that works, while the set-up is still using the network
# for the packages of EXTRA.
wish_for() {
    if ! stamp_holds "$1" && ! { [ -z "$1" ] && packages_are_installed; }; then
        (apt_install "${@:2}") 2>/dev/null || true
    fi
}
