# shellcheck shell=bash disable=SC2034 # names are read by the other pieces
# What `arm-nets` needs: the nets' packages for this machine and for aarch64, a Python for aarch64, and
# qemu-user.

# LiteRT and numpy, with what LiteRT imports.
NET_PACKAGES=(ai-edge-litert numpy backports-strenum flatbuffers ml-dtypes protobuf tqdm typing-extensions)

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
    wanted="$PY $here $(cat locks/build.txt locks/run.txt | sha256sum)"
    if [ "$(cat "$VENV/made" 2>/dev/null)" = "$wanted" ]; then
        finish "ready"
        return
    fi
    rm -rf "$VENV"
    logged "$PY" -m venv "$VENV" || die_with_log "The virtual environment cannot be made."
    install_build_tools
    net_packages "$(uname -m)" "$here" >"$VENV/nets.txt"
    pip_install --require-hashes --requirement "$VENV/nets.txt"
    echo "$wanted" >"$VENV/made"
    finish "Python $here, $(net_versions "$VENV/nets.txt")"
}

# net_packages ARCH PYTHON: what of the lock the nets alone need, for that machine.
net_packages() {
    locked "$1" "$2" run "${NET_PACKAGES[@]/#/--only=}"
}

# net_versions FILE: of numpy and LiteRT.
net_versions() {
    sed -nE 's/^((numpy|ai-edge-litert)[^ ]*).*/\1/p' "$1" | paste -sd ' '
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
    local folder=$RIG/aarch64-wheels wanted platform
    [ -x "$VENV/bin/python" ] || die "They are chosen by pip in $VENV, which is not there."
    wanted=$(cat locks/run.txt setup/lock.py | sha256sum)
    if [ "$(cat "$folder/made" 2>/dev/null)" = "$wanted" ]; then
        finish "ready"
        return
    fi
    rm -rf "$folder"
    mkdir -p "$folder"
    net_packages aarch64 "$RIG_PYTHON" >"$folder/nets.txt"
    mapfile -t platform < <(platform_flags aarch64 "$RIG_PYTHON")
    pip_install --require-hashes --only-binary=:all: "${platform[@]}" --target "$folder" --requirement "$folder/nets.txt"
    echo "$wanted" >"$folder/made"
    finish "$(net_versions "$folder/nets.txt")"
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
