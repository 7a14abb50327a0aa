# shellcheck shell=bash disable=SC2034 # names are read by the other pieces
# What `arm-nets` needs: the nets' packages for this machine and for aarch64, a Python for aarch64, and
# qemu-user.

ready_for_arm_nets() {
    attempt venv make_rig_venv
    attempt qemu get_qemu
    attempt aarch64 make_sysroot
    attempt aarch64-wheels collect_foreign_wheels
    attempt compiler get_compiler
}

# make_rig_venv: numpy and LiteRT for this machine, to compare with.
make_rig_venv() {
    VENV=$RIG/venv
    NEEDED_MB=1000
    find_python || no_python
    step "Nets on this machine"
    local wanted here
    here=$("$PY" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    wanted="$PY $here $(sha256sum <pyproject.toml)"
    if [ "$(cat "$VENV/made" 2>/dev/null)" = "$wanted" ]; then
        finish "ready"
        return
    fi
    rm -rf "$VENV"
    logged "$PY" -m venv "$VENV" || die_with_log "The virtual environment cannot be made."
    local names=()
    mapfile -t names < <(net_packages "$(uname -m)" "$here")
    logged "$VENV/bin/python" -m pip --disable-pip-version-check --no-input install "${names[@]}" || explain_pip
    echo "$wanted" >"$VENV/made"
    finish "Python $here, ${names[*]}"
}

# net_packages ARCH PYTHON: the lines of pyproject.toml that the nets alone need.
net_packages() {
    foreign_pip "$1" "$2" list | grep -E '^(numpy|ai-edge-litert)'
}

get_qemu() {
    step "qemu-user"
    if ! command -v qemu-aarch64 >/dev/null; then
        if ! can_install || ! command -v apt-get >/dev/null; then
            die "There is no qemu-aarch64; run: sudo apt-get install qemu-user"
        fi
        apt_install qemu-user
    fi
    finish "$(qemu-aarch64 --version | head -n 1)"
}

# make_sysroot: Python and the C library of the device's release, unpacked.
make_sysroot() {
    local root=$RIG/aarch64 deb
    if [ -f "$root/made" ]; then
        step "aarch64 Python"
        finish "ready"
        return
    fi
    STAGE=$RIG/stage
    rm -rf "$STAGE" "$root"
    mkdir -p "$STAGE" "$root/usr/lib" "$root/usr/bin"
    ln -s usr/lib "$root/lib"
    ln -s usr/bin "$root/bin"
    DEB_NAMES=(python3 libstdc++6)
    collect_debs aarch64 "$RIG_PYTHON"
    [ -d "$STAGE/debs" ] || die "apt-get cannot fetch a Python for aarch64; on a Debian with a network it can."
    for deb in "$STAGE"/debs/*.deb; do logged dpkg-deb -x "$deb" "$root"; done
    rm -rf "$STAGE"
    touch "$root/made"
}

collect_foreign_wheels() {
    step "aarch64 wheels"
    VENV=$RIG/venv
    local folder=$RIG/aarch64-wheels wanted names=()
    [ -x "$VENV/bin/python" ] || die "They are chosen by pip in $VENV, which is not there."
    wanted=$(cat pyproject.toml setup/foreign_pip.py | sha256sum)
    if [ "$(cat "$folder/made" 2>/dev/null)" = "$wanted" ]; then
        finish "ready"
        return
    fi
    rm -rf "$folder"
    mapfile -t names < <(net_packages aarch64 "$RIG_PYTHON")
    logged foreign_pip aarch64 "$RIG_PYTHON" install --target "$folder" "${names[@]}" || explain_pip
    echo "$wanted" >"$folder/made"
    finish "${names[*]}"
}

get_compiler() {
    step "C compiler"
    if ! command -v gcc >/dev/null && ! command -v cc >/dev/null; then
        if ! can_install || ! command -v apt-get >/dev/null; then
            die "There is no C compiler; run: sudo apt-get install gcc libc6-dev"
        fi
        apt_install gcc libc6-dev
    fi
    finish "ready"
}
