# shellcheck shell=bash
# Chooses a Python and makes the virtual environment from it.

# python_fault PYTHON: what is wrong with it, nothing when it will do.
python_fault() {
    local version
    if ! version=$("$1" -c 'import platform, struct, sys
print("%d.%d" % sys.version_info[:2], 8 * struct.calcsize("P"), platform.python_implementation())' 2>/dev/null); then
        echo "cannot be run"
        return
    fi
    case $version in
        "3.10 64 CPython" | "3.11 64 CPython" | "3.12 64 CPython" | "3.13 64 CPython") ;;
        *" 32 "*) echo "is a 32-bit Python, for which MediaPipe has no packages: install a 64-bit system" ;;
        *) echo "is ${version##* } ${version%% *}" ;;
    esac
}

# find_python: set PY to one that will do; fails when there is none.
find_python() {
    local candidate
    for candidate in python3 python3.13 python3.12 python3.11 python3.10 /usr/bin/python3; do
        if command -v "$candidate" >/dev/null && [ -z "$(python_fault "$candidate")" ]; then
            PY=$(command -v "$candidate")
            return
        fi
    done
    return 1
}

choose_python() {
    step "Python"
    if [ -n "${PYTHON:-}" ]; then
        local fault
        fault=$(python_fault "$PYTHON")
        [ -z "$fault" ] || die "PYTHON=$PYTHON $fault; choose one from 3.10 to 3.13."
        PY=$(command -v "$PYTHON")
    elif [ -f "$VENV/.mien-venv" ] && [ -z "$(python_fault "$VENV/bin/python")" ]; then
        # Stay with the Python of an earlier set-up, whatever python3 means in this shell.
        PY=$(sed -n 1p "$VENV/.mien-venv")
        [ -z "$(python_fault "$PY")" ] || find_python || no_python
    elif ! find_python; then
        if ! command -v apt-get >/dev/null || ! can_install; then no_python; fi
        apt_install python3 python3-venv python3-dev
        find_python || no_python
    fi
    # The interpreter itself: neither a shim nor a venv that happens to be active.
    PY=$("$PY" -c 'import sys; print(getattr(sys, "_base_executable", None) or sys.executable)')
    PY_VERSION=$("$PY" -c 'import platform; print(platform.python_version())')
    finish "$PY_VERSION at $PY"
}

no_python() {
    local found fault=""
    if found=$(command -v python3); then fault=" ($found $(python_fault "$found"))"; fi
    die "There is no Python from 3.10 to 3.13 here$fault; install one (on Debian: sudo apt-get install python3 python3-venv python3-dev) or name it with PYTHON=/path/to/python3.12 ./setup.sh run"
}

# system_module NAME: whether the chosen Python itself, outside any venv, has the module.
system_module() {
    "$PY" -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)' "$1"
}

make_venv() {
    step "Virtual environment"
    local flags=() kind wanted
    # apt's picamera2 is the only one there is, and a plain venv would not see it.
    if on_raspberry_pi && system_module picamera2; then flags=(--system-site-packages); fi
    kind=${flags[*]:-plain}
    wanted=$(printf '%s\n%s\n%s\n%s' "$PY" "$PY_VERSION" "$VENV" "$kind")
    if [ -f "$VENV/.mien-venv" ] && [ "$(cat "$VENV/.mien-venv")" = "$wanted" ] &&
        "$VENV/bin/python" -c 'import pip' 2>/dev/null; then
        finish "ready"
        return
    fi
    local free_mb
    free_mb=$(df -Pm "$REPO_ROOT" | awk 'NR == 2 { print $4 }')
    [ "$free_mb" -ge "$NEEDED_MB" ] ||
        die "The disk has $free_mb MB left and Mien needs $NEEDED_MB MB; make room and run it again."
    if [ -e "$VENV" ] && [ ! -f "$VENV/.mien-venv" ] && [ ! -f "$VENV/.mien-begun" ]; then
        die "$VENV was not made by ./setup.sh; move it away and run it again."
    fi
    rm -rf "$VENV"
    mkdir "$VENV"
    touch "$VENV/.mien-begun"
    logged "$PY" -m venv "${flags[@]}" "$VENV" ||
        die_with_log "The virtual environment cannot be made."
    printf '%s' "$wanted" >"$VENV/.mien-venv"
    finish "made"
}
