# shellcheck shell=bash disable=SC2034 # names are read by the other pieces
# ./setup.sh rig: makes ready what the proofs of tests/acceptance need, each part once, and runs them.
# What cannot be made ready is noted in var/rig/why, and the proofs that need it say so.

RIG=$REPO_ROOT/var/rig
# The release that the container runs and whose Python the aarch64 wheels are for.
RIG_PYTHON=3.13
CONTAINER_PACKAGES=systemd,systemd-sysv,udev,kmod

rig_mien() {
    case ${1:-} in
        soak | start)
            rig_bars "$@"
            return
            ;;
    esac
    local parts=("$@") part
    if [ $# -eq 0 ]; then parts=(a c); fi
    for part in "${parts[@]}"; do
        case $part in
            a | b | c | d | e) ;;
            *) die "setup.sh rig takes a, b, c, d and e, not \"$part\"; see docs/acceptance.md." ;;
        esac
    done
    umask 022
    WORK=$RIG
    LOG=$RIG/setup.log
    open_log
    rm -rf "$RIG/why"
    mkdir -p "$RIG/why" "$RIG/tools"
    # Part e needs an installed Mien, of whatever checkout.
    local container=
    case " ${parts[*]} " in
        *" a "* | *" b "*) container=yes ;;
        *" e "*) [ -f "$RIG/installed/made" ] || container=yes ;;
    esac
    STEPS=$((${container:+4}))
    case " ${parts[*]} " in *" b "*) STEPS=$((STEPS + 4)) ;; esac
    case " ${parts[*]} " in *" c "*) STEPS=$((STEPS + 5)) ;; esac
    case " ${parts[*]} " in *" d "*) STEPS=$((STEPS + 7)) ;; esac
    case " ${parts[*]} " in *" e "*) STEPS=$((STEPS + 4)) ;; esac
    if [ -n "$container" ]; then ready_for_container; fi
    if [[ " ${parts[*]} " == *" b "* ]]; then ready_for_guest; fi
    if [[ " ${parts[*]} " == *" c "* ]]; then ready_for_arm; fi
    if [[ " ${parts[*]} " == *" d "* ]]; then ready_for_arm_guest; fi
    if [[ " ${parts[*]} " == *" e "* ]]; then ready_for_camera; fi
    heading "Proofs"
    find_python || no_python
    # The lock stays until the proofs have ended.
    local interpreter=$PY
    if [ -x "$RIG/venv/bin/python" ]; then interpreter=$RIG/venv/bin/python; fi
    PYTHONPATH=$REPO_ROOT PYTHONDONTWRITEBYTECODE=1 exec "$interpreter" -m tests.acceptance "$RIG" "${parts[@]}"
}

# attempt NAME FUNCTION: make something ready in a shell of its own; what ends that is noted.
attempt() {
    local result=0 said=$RIG/why/.said
    local next=$((STEP + 1))
    # Neither `if` nor `||`: within those a shell does not stop at what fails.
    set +e
    (
        set -e
        STEP=$((next - 1))
        "$2"
    ) 2> >(tee "$said" >&2)
    result=$?
    set -e
    STEP=$next
    if [ "$result" -ne 0 ]; then
        sleep 0.2 # for tee to write it down
        sed -n 's/^setup: //p' "$said" | tail -n 1 >"$RIG/why/$1"
        [ -s "$RIG/why/$1" ] || echo "it could not be made ready; see $LOG" >"$RIG/why/$1"
        if [ "$result" -eq 130 ]; then exit 130; fi
    fi
    rm -f "$said"
}

ready_for_container() {
    if [ "$(id -u)" -ne 0 ]; then
        STEP=$((STEP + 4))
        return
    fi
    attempt systemd-nspawn get_nspawn
    attempt debian make_debian
    attempt bundle make_bundle
    attempt bundle fill_bundle
}

ready_for_arm() {
    attempt venv make_rig_venv
    attempt qemu get_qemu
    attempt aarch64 make_sysroot
    attempt aarch64-wheels collect_foreign_wheels
    attempt compiler get_compiler
}

# get_nspawn: this machine's, else unpacked from its package: installing that would upgrade systemd.
get_nspawn() {
    step "systemd-nspawn"
    local folder=$RIG/tools/container libraries
    if [ ! -x "$RIG/tools/systemd-nspawn" ]; then
        if command -v systemd-nspawn >/dev/null; then
            ln -sf "$(command -v systemd-nspawn)" "$RIG/tools/systemd-nspawn"
        else
            command -v apt-get >/dev/null || die "There is no systemd-nspawn here and no apt-get to fetch it with."
            fetch_debs "$RIG/tools/debs" systemd-container libsystemd-shared
            rm -rf "$folder"
            mkdir -p "$folder"
            local deb
            for deb in "$RIG"/tools/debs/*.deb; do dpkg-deb -x "$deb" "$folder"; done
            libraries=$(find "$folder" -name 'libsystemd-shared-*.so' -printf '%h\n' | head -n 1)
            printf '#!/bin/sh\nLD_LIBRARY_PATH=%q exec %q "$@"\n' "$libraries" "$folder/usr/bin/systemd-nspawn" \
                >"$RIG/tools/systemd-nspawn.part"
            chmod +x "$RIG/tools/systemd-nspawn.part"
            mv "$RIG/tools/systemd-nspawn.part" "$RIG/tools/systemd-nspawn"
        fi
    fi
    "$RIG/tools/systemd-nspawn" --version >/dev/null 2>&1 ||
        die "systemd-nspawn does not start; install it with: sudo apt-get install systemd-container"
    finish "$("$RIG/tools/systemd-nspawn" --version | head -n 1)"
}

# fetch_debs FOLDER PACKAGE...: the packages' files.
fetch_debs() {
    rm -rf "$1"
    mkdir -p "$1"
    logged as_root apt-get -o Acquire::Retries=2 update || true
    (cd "$1" && logged apt-get -o APT::Sandbox::User=root download "${@:2}") ||
        die "apt-get cannot fetch ${*:2}; connect to a network and run it again."
}

# debian_mirror: where this machine, if it is a Debian, has its own packages from.
debian_mirror() {
    local ID="" VERSION_CODENAME=""
    . /etc/os-release
    if [ "$ID" = debian ]; then
        # shellcheck disable=SC2016 # apt-get's own names
        apt-get indextargets --format '$(REPO_URI)' "Codename: $VERSION_CODENAME" 2>/dev/null | sort -u | sed -n 1p
    fi
}

# make_debian: a clean system, as small as one with systemd gets.
make_debian() {
    step "Clean Debian"
    local root=$RIG/debian suite mirror
    suite=$(suite_of "$RIG_PYTHON")
    if [ -f "$root/made" ] && grep -qx "$suite $CONTAINER_PACKAGES" "$root/made"; then
        finish "$suite, ready"
        return
    fi
    command -v debootstrap >/dev/null || apt_install debootstrap
    mirror=$(debian_mirror)
    [ -n "$mirror" ] || die "The container is a Debian, and only a Debian machine knows where to fetch one."
    # What an earlier debootstrap that was cut off has left mounted.
    findmnt -rn -o TARGET | sed -n "s,^\($root/.*\),\1,p" | sort -r | xargs -r umount
    rm -rf "$root"
    mkdir -p "$root"
    logged debootstrap --variant=minbase --include="$CONTAINER_PACKAGES" "$suite" "$root" "$mirror" ||
        die_with_log "debootstrap cannot make a $suite; connect to a network and run it again."
    rm -f "$root"/var/cache/apt/archives/*.deb
    echo "$suite $CONTAINER_PACKAGES" >"$root/made"
    finish "$suite, $(du -sm "$root" | cut -f 1) MB"
}

# make_bundle: by ./setup.sh bundle, made anew when what it fetches may have changed.
make_bundle() {
    step "Bundle"
    local stamp=$RIG/bundle.stamp wanted
    wanted=$(cat pyproject.toml setup/bundle*.sh setup/foreign_pip.py | sha256sum)
    if [ -f "$RIG/bundle.tar" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
        finish "ready"
        return
    fi
    logged "$REPO_ROOT/setup.sh" bundle --arch "${BUNDLE_ARCH:-$(uname -m)}" --python "$RIG_PYTHON" --out "$RIG/bundle.tar" ||
        die_with_log "The bundle cannot be made."
    [ -n "$(tar -tf "$RIG/bundle.tar" | sed -n '/\/debs\/Packages$/p')" ] ||
        die "The bundle came without system packages, so that the container could not install it."
    echo "$wanted" >"$stamp"
    finish "$(du -m "$RIG/bundle.tar" | cut -f 1) MB"
}

# fill_bundle: unpack it, with the program as it is in this checkout, as pack_bundle would put it in.
fill_bundle() {
    step "Program in the bundle"
    local folder=$RIG/bundle
    [ ! -s "$RIG/why/bundle" ] || die "$(cat "$RIG/why/bundle")"
    if [ ! "$folder/bundle.txt" -nt "$RIG/bundle.tar" ]; then
        rm -rf "$folder" "$folder.part"
        mkdir "$folder.part"
        tar -C "$folder.part" --strip-components=1 --no-same-owner -xf "$RIG/bundle.tar"
        touch "$folder.part/bundle.txt"
        mv "$folder.part" "$folder"
    fi
    rm -f "$folder/SHA256SUMS"
    (cd "$folder" && rm -rf "${SOURCES[@]}")
    tar --exclude=__pycache__ -cf - "${SOURCES[@]}" | tar -C "$folder" --no-same-owner -xf -
    # MediaPipe's detectors, should this checkout not have them any more.
    tar -C "$folder" --strip-components=1 --no-same-owner --skip-old-files --wildcards \
        -xf "$RIG/bundle.tar" '*/models_tflite/fetched/*'
    (cd "$folder" && find . -type f ! -name SHA256SUMS -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) >"$RIG/bundle.sums"
    mv "$RIG/bundle.sums" "$folder/SHA256SUMS"
    finish "$(wc -l <"$folder/SHA256SUMS") files"
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
