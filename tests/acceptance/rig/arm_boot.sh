# shellcheck shell=bash disable=SC2034 # names are read by the other pieces
# What `arm-boot` needs: an aarch64 Debian that has not been started yet, Mien's bundle
# for it, a kernel, and the means to run its programs here.

ARM_GUEST=$RIG/arm-guest
# Left for the installer, so that apt-get on aarch64 has something to install from the bundle.
LEFT_TO_INSTALLER=portaudio

ready_for_arm_boot() {
    if [ "$(id -u)" -ne 0 ]; then
        STEP=$((STEP + 7))
        return
    fi
    attempt qemu-system get_system_qemu
    attempt arm-bundle make_arm_bundle
    attempt arm-program fill_arm_bundle
    attempt arm-debian make_arm_debian
    attempt arm-clip get_arm_clip
    attempt arm-kernel make_arm_kernel
    attempt qemu-static get_static_qemu
}

make_arm_bundle() {
    RIG=$ARM_GUEST
    BUNDLE_ARCH=aarch64
    mkdir -p "$RIG"
    make_bundle
}

fill_arm_bundle() {
    [ ! -s "$RIG/why/arm-bundle" ] || die "$(cat "$RIG/why/arm-bundle")"
    RIG=$ARM_GUEST
    fill_bundle
}

# make_arm_debian: unpacked rather than installed, because what packages do when they are installed
# takes eight minutes under qemu. The little of it that a first start needs is done here.
make_arm_debian() {
    step "Debian for aarch64"
    local root=$ARM_GUEST/debian archives=$ARM_GUEST/apt-arm64/cache/archives wanted names name more files=()
    mapfile -t names < <(printf '%s\n' "${DEB_NAMES[@]}" | sed "/$LEFT_TO_INSTALLER/d")
    names=('?essential' apt "${names[@]}")
    IFS=, read -r -a more <<<"$CONTAINER_PACKAGES"
    names+=("${more[@]}")
    wanted="$(suite_of "$RIG_PYTHON") ${names[*]} $(sha256sum <"$ARM_GUEST/bundle/debs/Packages" 2>/dev/null)"
    if [ "$(cat "$ARM_GUEST/debian.made" 2>/dev/null)" = "$wanted" ]; then
        finish "ready"
        return
    fi
    rm -rf "$ARM_GUEST/debian.made" "$root"
    mkdir -p "$root" "$archives"
    # What the bundle has already need not be fetched again.
    cp -l "$ARM_GUEST"/bundle/debs/*.deb "$archives" 2>/dev/null || true
    logged guest_apt "$ARM_GUEST" arm64 apt-get update || true
    logged guest_apt "$ARM_GUEST" arm64 apt-get install --download-only --yes --no-install-recommends "${names[@]}" ||
        die_with_log "apt-get cannot fetch a Debian for aarch64; connect to a network and run it again."
    mapfile -t files < <(
        guest_apt "$ARM_GUEST" arm64 apt-get install --simulate --no-install-recommends "${names[@]}" |
            sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*/\1_\2/p' | sed 's/:/%3a/'
    )
    # First that which makes /bin a link.
    unpack_as_installed "$root" "$archives"/base-files_*.deb
    for name in "${files[@]}"; do
        case $name in base-files_*) ;; *) unpack_as_installed "$root" "$archives/${name}"_*.deb ;; esac
    done
    rm -rf "$ARM_GUEST/apt-arm64"
    make_up_for_scripts "$root"
    echo "$wanted" >"$ARM_GUEST/debian.made"
    finish "${#files[@]} packages, $(du -sm "$root" | cut -f 1) MB"
}

# unpack_as_installed ROOT FILE: and let dpkg there know of it.
unpack_as_installed() {
    local info=$1/var/lib/dpkg/info name same
    mkdir -p "$info" "$1"/var/lib/dpkg/updates "$1"/var/lib/dpkg/triggers
    [ -f "$2" ] || die "apt-get has not fetched ${2##*/}."
    logged dpkg-deb -x "$2" "$1"
    name=$(dpkg-deb --field "$2" Package)
    same=$(dpkg-deb --field "$2" Multi-Arch)
    if [ "$same" = same ]; then name=$name:arm64; fi
    dpkg-deb --contents "$2" | sed -e 's/^\([^ ]* *\)\{5\}\.//' -e 's, -> .*,,' -e 's,\(.\)/$,\1,' \
        -e 's,^/$,/.,' >"$info/$name.list"
    {
        dpkg-deb --field "$2" | sed '/^Package:/a Status: install ok installed'
        echo
    } >>"$1/var/lib/dpkg/status"
}

# make_up_for_scripts ROOT: what the scripts of the packages would have made.
make_up_for_scripts() {
    local masters=$1/usr/share/base-passwd
    echo 1 >"$1/var/lib/dpkg/info/format"
    touch "$1/var/lib/dpkg/available"
    cp "$masters/passwd.master" "$1/etc/passwd"
    cp "$masters/group.master" "$1/etc/group"
    sed 's/^\([^:]*\):.*/\1:*:20000:0:99999:7:::/' "$1/etc/passwd" >"$1/etc/shadow"
    chmod 640 "$1/etc/shadow"
    [ -e "$1/etc/nsswitch.conf" ] || cp "$(find "$1/usr/share" -name nsswitch.conf | sed -n 1p)" "$1/etc/nsswitch.conf"
    # Without it pip does not start, not even one that needs no network.
    mkdir -p "$1/etc/ssl/certs"
    cat "$1"/usr/share/ca-certificates/mozilla/*.crt >"$1/etc/ssl/certs/ca-certificates.crt"
    ln -sf mawk "$1/usr/bin/awk"
    tr -d - </proc/sys/kernel/random/uuid >"$1/etc/machine-id"
    echo mien-rig >"$1/etc/hostname"
}

# get_arm_clip: the demo clip of ./setup.sh run, if that has made one; else the portrait from which the
# installed Mien can make its own.
get_arm_clip() {
    step "Somebody to see and hear"
    local pip=$REPO_ROOT/var/bundle-venv/bin/python
    if [ -f "$DEMO_CLIP" ]; then
        cp "$DEMO_CLIP" "$ARM_GUEST/demo.mp4.part"
        mv "$ARM_GUEST/demo.mp4.part" "$ARM_GUEST/demo.mp4"
        finish "the demo clip"
        return
    fi
    if [ ! -x "$pip" ]; then
        find_python || no_python
        pip=$PY
    fi
    logged "$pip" -c 'from edge.fetch import fetch, parcels; fetch(parcels()[1:])' ||
        die_with_log "The portrait for the demo clip cannot be fetched; connect to a network and run it again."
    cp "$REPO_ROOT/var/astronaut.png" "$ARM_GUEST/portrait.png"
    finish "a portrait"
}

# make_arm_kernel: with what the first root needs on qemu's board.
make_arm_kernel() {
    step "Kernel for aarch64"
    unpack_kernel arm64
    make_initrd "$GUEST/kernel-arm64" "$ARM_GUEST/initrd" "${GUEST_BOOT_MODULES[@]}"
    finish "$(cat "$GUEST/kernel-arm64/version")"
}

# get_static_qemu: one that needs none of this machine's libraries, which are not seen from within
# the other system. Unpacked, because when it is installed it changes what this machine can run.
get_static_qemu() {
    step "qemu-user, static"
    local program=$RIG/tools/qemu-aarch64-static
    if [ ! -x "$program" ]; then
        command -v apt-get >/dev/null || die "There is no apt-get here to fetch a static qemu-user with."
        rm -rf "$ARM_GUEST/qemu"
        mkdir -p "$ARM_GUEST/qemu"
        fetch_debs "$ARM_GUEST/qemu/debs" "$(static_qemu_package)"
        local deb
        for deb in "$ARM_GUEST"/qemu/debs/*.deb; do logged dpkg-deb -x "$deb" "$ARM_GUEST/qemu"; done
        cp "$(find "$ARM_GUEST/qemu/usr/bin" -type f -name 'qemu-aarch64*' | sed -n 1p)" "$program.part"
        mv "$program.part" "$program"
        rm -rf "$ARM_GUEST/qemu"
    fi
    finish "$("$program" --version | sed -n 1p)"
}

# static_qemu_package: since Debian 13 the usual one is static.
static_qemu_package() {
    local ID="" VERSION_ID=""
    . /etc/os-release
    if [ "${VERSION_ID%%.*}" = 12 ]; then echo qemu-user-static; else echo qemu-user; fi
}

get_system_qemu() {
    step "qemu-system"
    need_programs qemu-system-aarch64=qemu-system-arm cpio=cpio xz=xz-utils mkfs.ext4=e2fsprogs depmod=kmod
    finish "$(qemu-system-aarch64 --version | sed -n 1p)"
}
