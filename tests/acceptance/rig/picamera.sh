# shellcheck shell=bash disable=SC2034 # names are read by the other pieces
# What `picamera` boots: the installed system with Debian's libcamera and picamera2, as
# Raspberry Pi OS has them beside Mien's own packages; this checkout's adapter on a second disk.

CAMERA=$RIG/camera-guest
CAMERA_DEBS=(python3-libcamera libcamera-ipa python3-prctl)
# Debian has no picamera2. What its encoders and neural cameras need besides is not loaded.
CAMERA_WHEELS=(picamera2==0.3.38 piexif==1.1.3 simplejpeg==1.9.0 videodev2==0.0.4)
CAMERA_SOURCE=PiDNG==4.0.9

ready_for_picamera() {
    if [ "$(id -u)" -ne 0 ]; then
        STEP=$((STEP + 4))
        return
    fi
    attempt guest-installed install_for_camera
    attempt camera-kernel make_camera_kernel
    attempt camera-libraries get_camera_libraries
    attempt camera-disk make_camera_disk
}

# install_for_camera: its packages are all that is needed of it, so one of an earlier checkout will do.
install_for_camera() {
    if [ -f "$RIG/installed/made" ]; then
        step "Mien in the guest"
        finish "ready"
    else
        install_for_guest
    fi
}

make_camera_kernel() {
    step "Kernel for the camera's guest"
    need_programs qemu-system-x86_64=qemu-system-x86 cpio=cpio xz=xz-utils mkfs.ext4=e2fsprogs depmod=kmod
    unpack_kernel amd64
    mkdir -p "$CAMERA"
    make_initrd "$GUEST/kernel-amd64" "$CAMERA/initrd" "${GUEST_BOOT_MODULES[@]}"
    finish "Linux $(cat "$GUEST/kernel-amd64/version")"
}

# get_camera_libraries: the packages that the installed system lacks for them.
get_camera_libraries() {
    step "picamera2 and libcamera"
    local status=$RIG/installed/upper/var/lib/dpkg/status archives=$CAMERA/apt-amd64/cache/archives wanted platform
    [ ! -s "$RIG/why/guest-installed" ] || die "$(cat "$RIG/why/guest-installed")"
    wanted="$RIG_PYTHON ${CAMERA_DEBS[*]} ${CAMERA_WHEELS[*]} $CAMERA_SOURCE $(sha256sum <"$status")"
    if [ "$(cat "$CAMERA/libraries.made" 2>/dev/null)" = "$wanted" ]; then
        finish "ready"
        return
    fi
    rm -rf "$CAMERA/libraries.made" "$CAMERA/libraries"
    mkdir -p "$CAMERA/libraries" "$archives"
    rm -f "$archives"/*.deb
    logged guest_apt "$CAMERA" amd64 apt-get update || true
    logged guest_apt "$CAMERA" amd64 apt-get -o "Dir::State::status=$status" install --download-only --yes \
        --no-install-recommends "${CAMERA_DEBS[@]}" ||
        die_with_log "apt-get cannot fetch ${CAMERA_DEBS[*]}; connect to a network and run it again."
    mv "$archives"/*.deb "$CAMERA/libraries"
    find_python || no_python
    VENV=$CAMERA/venv
    [ -x "$VENV/bin/python" ] || logged "$PY" -m venv "$VENV" || die_with_log "The virtual environment cannot be made."
    mapfile -t platform < <(platform_flags x86_64 "$RIG_PYTHON")
    logged "$VENV/bin/python" -m pip --disable-pip-version-check --no-input download --no-deps --only-binary :all: \
        "${platform[@]}" --dest "$CAMERA/libraries" "${CAMERA_WHEELS[@]}" || explain_pip
    logged "$VENV/bin/python" -m pip --disable-pip-version-check --no-input download --no-deps --no-binary :all: \
        --dest "$CAMERA/libraries" "$CAMERA_SOURCE" || explain_pip
    # What it is compiled with, out of the bundle.
    cp "$RIG"/bundle/wheels/{setuptools,packaging,numpy}-*.whl "$CAMERA/libraries"
    echo "$wanted" >"$CAMERA/libraries.made"
    finish "${CAMERA_WHEELS[0]}, $(find "$CAMERA/libraries" -name '*.deb' | wc -l) packages of Debian"
}

# make_camera_disk: the installed system with them, and the rig's programs of this checkout.
make_camera_disk() {
    step "Disks of the camera's guest"
    local wanted
    [ ! -s "$RIG/why/camera-kernel" ] || die "$(cat "$RIG/why/camera-kernel")"
    [ ! -s "$RIG/why/camera-libraries" ] || die "$(cat "$RIG/why/camera-libraries")"
    wanted=$(
        {
            cat "$CAMERA/libraries.made" "$REPO_ROOT"/tests/acceptance/picamera/{rig-camera-proofs.service,virtual_camera.yaml}
            readlink -f "$RIG/installed/upper/opt/mien/current"
            declare -f fill_camera_guest
        } | sha256sum
    )
    if [ "$(cat "$CAMERA/image.made" 2>/dev/null)" != "$wanted" ]; then
        rm -rf "$CAMERA/system" "$CAMERA/image.made"
        mkdir -p "$CAMERA"/system/{upper,work,merged}
        with_system "$CAMERA/system" fill_camera_guest
        rm -rf "$CAMERA/system"
        echo "$wanted" >"$CAMERA/image.made"
    fi
    rm -rf "$CAMERA/programs"
    copy_proofs "$CAMERA/programs"
    tar -C "$REPO_ROOT" --exclude=__pycache__ -cf - edge | tar -C "$CAMERA/programs" --no-same-owner -xf -
    pack_image "$CAMERA/programs" "$CAMERA/disk" 40
    rm -rf "$CAMERA/programs"
    finish "$(du -m "$CAMERA/image" | cut -f 1) MB"
}

# fill_camera_guest ROOT: what Raspberry Pi OS has beside Mien, where it has it.
fill_camera_guest() {
    local root=$1 size
    mkdir -p "$root/rig" "$root/libraries" "$root/usr/share/libcamera/pipeline/virtual"
    cp "$CAMERA"/libraries/* "$root/libraries/"
    # shellcheck disable=SC2016 # for the guest's shell
    logged unshare --net chroot "$root" sh -c 'dpkg --install /libraries/*.deb &&
        PIP_NO_INDEX=1 PIP_FIND_LINKS=file:///libraries TMPDIR=/libraries /opt/mien/venv/bin/python -m pip \
        --disable-pip-version-check --no-input --no-cache-dir install --no-deps \
        --target /usr/local/lib/python'"$RIG_PYTHON"'/dist-packages picamera2 PiDNG piexif simplejpeg videodev2' ||
        die_with_log "libcamera and picamera2 cannot be installed for the guest."
    rm -rf "$root/libraries"
    # As install.sh makes it on a Raspberry Pi.
    sed -i 's/^include-system-site-packages = false/include-system-site-packages = true/' "$root/opt/mien/venv/pyvenv.cfg"
    cp "$REPO_ROOT/tests/acceptance/picamera/virtual_camera.yaml" "$root/usr/share/libcamera/pipeline/virtual/virtual.yaml"
    cp "$REPO_ROOT/tests/acceptance/picamera/rig-camera-proofs.service" "$root/etc/systemd/system/"
    size=$(du -sm "$root" | cut -f 1)
    pack_image "$root" "$CAMERA/image" $((size * 5 / 4 + 300))
}
