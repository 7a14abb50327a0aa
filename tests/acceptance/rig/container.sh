# shellcheck shell=bash disable=SC2034 # names are read by the other pieces
# What `container` runs: systemd-nspawn, a clean Debian, and Mien's bundle with this checkout's program.

CONTAINER_PACKAGES=systemd,systemd-sysv,udev,kmod

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
    wanted=$(cat locks/*.txt setup/bundle*.sh setup/lock.py setup/sbom.py | sha256sum)
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
    (cd "$folder" && rm -rf "${SOURCES[@]}")
    tar --exclude=__pycache__ -cf - "${SOURCES[@]}" | tar -C "$folder" --no-same-owner -xf -
    mkdir -p "$folder/var"
    if [ -f var/astronaut.png ]; then cp var/astronaut.png "$folder/var"; fi
    # MediaPipe's detectors, should this checkout not have them any more.
    tar -C "$folder" --strip-components=1 --no-same-owner --skip-old-files --wildcards \
        -xf "$RIG/bundle.tar" '*/models_tflite/fetched/*'
    sum_up "$folder"
    finish "$(wc -l <"$folder/SHA256SUMS") files"
}
