# shellcheck shell=bash disable=SC2034 # names are read by the other pieces
# What `devices` boots: the installed system with drivers and pins on one disk; the
# rig's programs, and what the guest sees and hears, on another.

ready_for_devices() {
    if [ "$(id -u)" -ne 0 ]; then
        STEP=$((STEP + 4))
        return
    fi
    attempt guest-installed install_for_guest
    attempt guest-drivers make_guest_kernel
    attempt guest-image make_guest_image
    attempt guest-film make_guest_film
}

# install_for_guest: as `container` does it, unless that has been done from this bundle.
install_for_guest() {
    step "Mien in the guest"
    find_python || no_python
    logged env "PYTHONPATH=$REPO_ROOT" PYTHONDONTWRITEBYTECODE=1 "$PY" -m tests.acceptance.devices.install "$RIG" ||
        die "$(tail -n 1 "$LOG")"
    finish "$(tail -n 1 "$LOG")"
}

make_guest_kernel() {
    step "Guest's kernel and drivers"
    mkdir -p "$GUEST"
    need_programs qemu-system-x86_64=qemu-system-x86 cpio=cpio mkfs.ext4=e2fsprogs depmod=kmod
    unpack_kernel amd64
    [ ! -s "$RIG/why/guest-installed" ] || die "$(cat "$RIG/why/guest-installed")"
    get_drivers
    finish "Linux $(cat "$GUEST/kernel-amd64/version"), v4l2loopback, gpio-sim"
}

# make_guest_image: the installed system with what a container has no need of.
make_guest_image() {
    step "Guest's disk"
    local wanted
    [ ! -s "$RIG/why/guest-drivers" ] || die "$(cat "$RIG/why/guest-drivers")"
    wanted=$(
        {
            cat "$RIG/installed/made" "$GUEST/drivers/made" "$REPO_ROOT"/tests/acceptance/devices/*.{service,mount,conf}
            declare -f fill_guest install_pin_library make_initrd
        } | sha256sum
    )
    if [ "$(cat "$GUEST/image.made" 2>/dev/null)" = "$wanted" ]; then
        finish "ready"
        return
    fi
    rm -rf "$GUEST/system" "$GUEST/image.made"
    mkdir -p "$GUEST"/system/{upper,work,merged}
    make_initrd "$GUEST/kernel-amd64" "$GUEST/initrd" "${GUEST_BOOT_MODULES[@]}"
    with_system "$GUEST/system" fill_guest
    rm -rf "$GUEST/system"
    echo "$wanted" >"$GUEST/image.made"
    finish "$(du -m "$GUEST/image" | cut -f 1) MB"
}

# fill_guest ROOT: what a Pi would have and a container has not: modules, the library for the pins. And
# the rig's own units, which find the rest on a second disk.
fill_guest() {
    local root=$1 version unit size units=$1/etc/systemd/system
    version=$(cat "$GUEST/kernel-amd64/version")
    mkdir -p "$root/usr/lib/modules" "$root/rig"
    cp -r "$GUEST/kernel-amd64/lib/modules/$version" "$root/usr/lib/modules/"
    mkdir -p "$root/usr/lib/modules/$version/updates"
    cp "$GUEST"/drivers/*.ko "$root/usr/lib/modules/$version/updates/"
    logged depmod -b "$root" "$version" || die_with_log "The guest's list of modules cannot be made."
    install_pin_library "$root"
    mkdir -p "$units"/{mien.service.d,sysinit.target.wants,multi-user.target.wants}
    cp "$REPO_ROOT"/tests/acceptance/devices/*.service "$units/"
    cp "$REPO_ROOT/tests/acceptance/devices/rig.mount" "$units/"
    cp "$REPO_ROOT/tests/acceptance/devices/mien.conf" "$units/mien.service.d/rig.conf"
    ln -s ../rig-drivers.service "$units/sysinit.target.wants/"
    for unit in display camera microphone; do
        ln -s ../rig-simulated@.service "$units/sysinit.target.wants/rig-simulated@$unit.service"
    done
    ln -s ../rig-other-services.service ../rig-proofs.service "$units/multi-user.target.wants/"
    size=$(du -sm "$root" | cut -f 1)
    pack_image "$root" "$GUEST/image" $((size * 5 / 4 + 300))
}

# install_pin_library ROOT: rpi-lgpio, as setup.sh install does on a Raspberry Pi 5, out of the bundle.
install_pin_library() {
    local root=$1
    mkdir -p "$root/bundle"
    cp -r "$RIG/bundle/wheels" "$root/bundle/"
    cp "$RIG"/bundle/debs/swig*.deb "$root/bundle/"
    logged unshare --net chroot "$root" sh -c 'dpkg --install /bundle/swig*.deb &&
        PIP_NO_INDEX=1 PIP_FIND_LINKS=file:///bundle/wheels PYPI=1 TMPDIR=/bundle \
        /opt/mien/venv/bin/python -m pip --disable-pip-version-check --no-input install rpi-lgpio' ||
        die_with_log "rpi-lgpio cannot be installed for the guest."
    rm -rf "$root/bundle"
}

# make_guest_film: what the guest sees and hears, drawn and spoken by the installed demo; and the disk
# that it lies on, together with the rig's programs of this checkout.
make_guest_film() {
    step "Guest's film"
    local wanted portrait=$REPO_ROOT/var/astronaut.png
    [ ! -s "$RIG/why/guest-installed" ] || die "$(cat "$RIG/why/guest-installed")"
    if [ ! -f "$portrait" ]; then
        find_python || no_python
        logged "$PY" -m edge.fetch || die_with_log "The portrait that the demo is made from cannot be fetched; connect to a network and run it again."
    fi
    wanted=$(cat "$RIG/installed/made" "$portrait" "$REPO_ROOT"/tests/acceptance/devices/{film,face_gallery,simulated_camera,simulated_microphone}.py | sha256sum)
    if [ "$(cat "$GUEST/film.made" 2>/dev/null)" != "$wanted" ]; then
        rm -rf "$GUEST/film" "$GUEST/film.made" "$GUEST/system"
        mkdir -p "$GUEST"/system/{upper,work,merged}
        with_system "$GUEST/system" draw_guest_film
        mv "$GUEST/system/upper/rig/film" "$GUEST/film"
        rm -rf "$GUEST/system"
        echo "$wanted" >"$GUEST/film.made"
    fi
    rm -rf "$GUEST/disk"
    copy_proofs "$GUEST/disk"
    cp "$REPO_ROOT/tests/acceptance/devices/config.toml" "$GUEST/disk/"
    cp -r "$GUEST/film" "$GUEST/disk/film"
    pack_image "$GUEST/disk" "$GUEST/disk.image" $(($(du -sm "$GUEST/disk" | cut -f 1) * 5 / 4 + 30))
    rm -rf "$GUEST/disk"
    finish "$(du -m "$GUEST/disk.image" | cut -f 1) MB"
}

draw_guest_film() {
    local root=$1
    copy_proofs "$root/rig"
    cp "$REPO_ROOT/var/astronaut.png" "$root/rig/"
    logged chroot "$root" env PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/opt/mien/current:/rig \
        /opt/mien/venv/bin/python -m tests.acceptance.devices.film /rig/astronaut.png /rig/film ||
        die_with_log "What the guest sees and hears cannot be made."
}

# need_programs PROGRAM=PACKAGE...: install the packages whose programs are missing.
need_programs() {
    local pair missing=()
    for pair in "$@"; do
        command -v "${pair%=*}" >/dev/null || missing+=("${pair#*=}")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if ! can_install || ! command -v apt-get >/dev/null; then
        die "Programs are missing; run: sudo apt-get install ${missing[*]}"
    fi
    apt_install "${missing[@]}"
}
