# shellcheck shell=bash disable=SC2034 # names are read by the other pieces
# ./setup.sh lock: writes the lock anew; and ./setup.sh test --lowest, which leaves the lock for the
# oldest releases that pyproject.toml allows. Both by uv, in an environment of their own.

make_lock() {
    case "$*" in
        "" | --upgrade) ;;
        *) refuse_word lock "$*" ;;
    esac
    STEPS=4
    NEEDED_MB=300
    open_log
    VENV=$WORK/lock-venv
    choose_python
    make_venv
    step "uv"
    install_uv
    finish "$("$VENV/bin/uv" --version)"
    step "Lock"
    logged "$VENV/bin/python" setup/lock.py make "$VENV/bin/uv" "$@" ||
        die_with_log "uv cannot make the lock; what it says above is wrong with pyproject.toml, or there is no network."
    finish "$(find locks -name '*.txt' | wc -l) files in locks/; now run ./setup.sh test, and commit them"
    close_log
}

# install_uv: as the lock has it, and what setup/lock.py needs.
install_uv() {
    install_build_tools
    locked "$(uname -m)" "${PY_VERSION%.*}" run dev --only=uv --only=tomli >"$WORK/uv.txt"
    pip_install --require-hashes --requirement "$WORK/uv.txt"
}

# test_lowest FLAGS OF pytest: every direct dependency at the lowest release that is allowed.
test_lowest() {
    STEPS=6
    open_log
    VENV=$WORK/lowest-venv
    choose_python
    [[ $PY_VERSION == 3.10.* ]] ||
        die "The lowest bounds are for Python 3.10 and this is $PY_VERSION; name one with PYTHON=/path/to/python3.10 ./setup.sh test --lowest"
    install_system_packages dev
    make_venv
    step "Python packages"
    install_uv
    # Without what an earlier run has installed, which uv would keep.
    logged "$VENV/bin/uv" pip install --python "$VENV/bin/python" --exact --resolution lowest-direct \
        --build-constraints locks/build.txt --editable ".[clip,dev]" || explain_pip
    finish "$(wc -l < <("$VENV/bin/uv" pip freeze --python "$VENV/bin/python" 2>/dev/null)) packages"
    fetch_models
    make_demo_clip
    close_log
    heading "pytest"
    "$VENV/bin/python" -m pytest "$@" || die "Not right yet: pytest; the lines above say where."
}
