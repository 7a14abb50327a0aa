# shellcheck shell=bash disable=SC2034 # names are read by the other pieces
# ./setup.sh bundle: everything that an installation fetches, in one archive for a device without a
# network; and how install makes use of it.

BUNDLE_PYTHON=
BUNDLE_NAME=
# Measured: 370 MB with everything.
ARCHIVE_MB=600
# Where the files of an unpacked bundle lie.
WHEELS=$REPO_ROOT/wheels
# Wheels that were made from sources of the lock, whose hashes the lock cannot know.
COMPILED=$REPO_ROOT/compiled
DEBS=$REPO_ROOT/debs
# All the boards' GPIO libraries: which one is wanted shows on the device.
BUNDLE_LOCKS=(build run pi pi-classic jetson)

bundle_mien() {
    STEPS=6
    local arch="" python="" out="" key=""
    while [ $# -gt 0 ]; do
        case $1 in
            --arch=* | --python=* | --out=* | --sign=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;;
            --arch | --python | --out | --sign)
                [ $# -gt 1 ] || die "$1 needs a value; see ./setup.sh bundle --help." 2
                case $1 in --arch) arch=$2 ;; --python) python=$2 ;; --out) out=$2 ;; --sign) key=$2 ;; esac
                shift 2
                ;;
            *) refuse_word bundle "$1" ;;
        esac
    done
    arch=${arch:-$(uname -m)}
    case $arch in
        aarch64 | x86_64) ;;
        *) die "There are no packages of MediaPipe for \"$arch\"; --arch takes aarch64 or x86_64." 2 ;;
    esac
    [ -n "$python" ] || die "Say for which Python with --python; it is what python3 --version says on the device, such as 3.13." 2
    glibc_of "$python" >/dev/null || die "Mien runs on Python 3.10 to 3.13; --python cannot be \"$python\"." 2
    name_archive "$arch" "$python" "$out"
    if [ -n "$key" ]; then check_signing_key "$key"; fi
    open_log
    VENV=$WORK/bundle-venv
    NEEDED_MB=1000
    choose_python
    STAGE=$WORK/bundle
    rm -rf "$STAGE"
    mkdir -p "$STAGE"/{wheels,compiled,scratch}
    export TMPDIR=$STAGE/scratch
    make_venv
    collect_wheels "$arch" "$python"
    fetch_detectors
    collect_debs "$arch" "$python"
    write_notices
    pack_bundle "$arch" "$python" "$key"
    rm -rf "$STAGE"
    close_log
    say_what_to_do_with_it "$python"
}

# glibc_of PYTHON: minor number of the C library of the systems that have it as python3.
glibc_of() {
    case $1 in
        3.10) echo 35 ;; # Ubuntu 22.04, JetPack 6
        3.11) echo 36 ;; # Debian 12
        3.12) echo 39 ;; # Ubuntu 24.04
        3.13) echo 41 ;; # Debian 13
        *) return 1 ;;
    esac
}

# collect_wheels ARCH PYTHON: the files that the lock names for that machine; where there is no wheel,
# the source.
collect_wheels() {
    step "Python packages"
    install_build_tools
    download_locked "$1" "$2" "${BUNDLE_LOCKS[@]}"
    # The one Python of Debian 12, whose picamera2 was built for numpy 1: see locks.
    if [ "$2" = 3.11 ]; then download_locked "$1" "$2" run-numpy1; fi
    local source
    for source in "$STAGE"/wheels/*.tar.gz; do compile_source "$1" "$2" "$source"; done
    finish "$(find "$STAGE" -name '*.whl' | wc -l) wheels, $(find "$STAGE/wheels" -name '*.tar.gz' | wc -l) to be compiled on the device"
}

# download_locked ARCH PYTHON PART...: into STAGE/wheels.
download_locked() {
    local platform
    mapfile -t platform < <(platform_flags "$1" "$2")
    locked "$@" >"$STAGE/locked.txt"
    logged "$VENV/bin/python" -m pip --disable-pip-version-check --no-input download --require-hashes \
        --no-deps --no-build-isolation "${platform[@]}" --dest "$STAGE/wheels" --requirement "$STAGE/locked.txt" ||
        explain_pip
}

# platform_flags ARCH PYTHON: what tells pip of another machine.
platform_flags() {
    local minor tag=${2/./}
    # Before 2.17 wheels were named otherwise.
    for ((minor = $(glibc_of "$2"); minor >= 17; minor--)); do echo "--platform=manylinux_2_${minor}_$1"; done
    printf '%s\n' "--platform=manylinux2014_$1" "--platform=linux_$1" --implementation=cp \
        "--python-version=$2" "--abi=cp$tag" --abi=abi3 --abi=none
}

# compile_source ARCH PYTHON SOURCE: put a wheel in its place, if one that fits can be made here.
compile_source() {
    if is_pure "$3" || { [ "$1" = "$(uname -m)" ] && [ "$2" = "${PY_VERSION%.*}" ]; }; then
        if logged env PYPI=1 "$VENV/bin/python" -m pip --disable-pip-version-check --no-input wheel \
            --no-deps --no-build-isolation --wheel-dir "$STAGE/compiled" "$3"; then
            rm "$3"
        fi
    fi
}

# install_compiled PART...: what the bundle has compiled of these parts of the lock, for which pip then
# needs no source.
install_compiled() {
    [ -d "$COMPILED" ] || return 0
    local wheel part name version files=()
    for wheel in "$COMPILED"/*.whl; do
        IFS=- read -r name version _ <<<"${wheel##*/}"
        name=${name,,}
        for part in "$@"; do
            if grep -qE "^${name//[._]/-}==${version//./\\.} " "$REPO_ROOT/locks/$part.txt"; then files+=("$wheel"); fi
        done
    done
    if [ ${#files[@]} -gt 0 ]; then pip_install --no-index "${files[@]}"; fi
}

# is_pure SOURCE: whether there is nothing in it to compile.
is_pure() {
    # Not grep -q, which would end tar by a broken pipe.
    ! tar -tf "$1" | grep -E '\.(c|cc|cpp|pyx|i)$' >/dev/null
}

# write_notices: what is in the bundle, and the licences.
write_notices() {
    local folders=("$STAGE/wheels" "$STAGE/compiled")
    if [ -d "$STAGE/debs" ]; then folders+=("$STAGE/debs"); fi
    logged "$VENV/bin/python" "$REPO_ROOT/setup/sbom.py" files "${folders[@]}" --out "$STAGE" ||
        die_with_log "The list of what is in the bundle cannot be made; the lines above name the package."
}

# name_archive ARCH PYTHON OUT: set BUNDLE_NAME and ARCHIVE, which has to have a place to go to.
name_archive() {
    local version folder
    version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' "$REPO_ROOT/edge/__init__.py")
    BUNDLE_NAME=mien-$version-$1-py$2
    ARCHIVE=${3:-$called_from/$BUNDLE_NAME.tar}
    case $ARCHIVE in /*) ;; *) ARCHIVE=$called_from/$ARCHIVE ;; esac
    folder=${ARCHIVE%/*}
    folder=${folder:-/}
    [ -d "$folder" ] || die "There is no folder $folder for the bundle; make it, or name another place with --out."
    [ -w "$folder" ] || die "You may not write to $folder; name another place for the bundle with --out."
    [ ! -d "$ARCHIVE" ] || die "$ARCHIVE is a folder; name a file in it with --out."
    local free_mb
    free_mb=$(df -Pm "$folder" | awk 'NR == 2 { print $4 }')
    [ "$free_mb" -ge "$ARCHIVE_MB" ] ||
        die "The disk of $folder has $free_mb MB left and a bundle takes up to $ARCHIVE_MB MB; make room, or name another place with --out."
}

# pack_bundle ARCH PYTHON KEY: the archive, with a sum for each file, signed if there is a key.
pack_bundle() {
    step "Archive"
    local name=$BUNDLE_NAME
    rm -rf "$STAGE/scratch"
    mkdir "$STAGE/$name"
    # A folder that is a link, as one for several checkouts may be, goes along as what it leads to.
    tar -C "$REPO_ROOT" --exclude=__pycache__ --dereference -cf - "${SOURCES[@]}" | tar -C "$STAGE/$name" -xf -
    mkdir "$STAGE/$name/var"
    cp "$REPO_ROOT/var/astronaut.png" "$STAGE/$name/var"
    mv "$STAGE/wheels" "$STAGE/compiled" "$STAGE/$name"
    if [ -d "$STAGE/debs" ]; then mv "$STAGE/debs" "$STAGE/$name"; fi
    printf 'arch=%s\npython=%s\n' "$1" "$2" >"$STAGE/$name/bundle.txt"
    mv "$STAGE/sbom.cdx.json" "$STAGE/NOTICES.txt" "$STAGE/$name"
    sum_up "$STAGE/$name"
    if [ -n "$3" ]; then sign_bundle "$STAGE/$name" "$3"; fi
    tar -C "$STAGE" --sort=name --owner=0 --group=0 --numeric-owner -cf "$ARCHIVE.part" "$name" 2>>"$LOG" ||
        die_with_log "The archive cannot be written to $ARCHIVE; make room or name another place with --out."
    mv "$ARCHIVE.part" "$ARCHIVE"
    finish "$ARCHIVE ($(du -m "$ARCHIVE" | cut -f 1) MB)"
}

# sum_up FOLDER: its SHA256SUMS.
sum_up() {
    rm -f "$1/SHA256SUMS" "$1/SHA256SUMS.sig"
    (cd "$1" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) >"$1.sums"
    mv "$1.sums" "$1/SHA256SUMS"
}

say_what_to_do_with_it() {
    local name
    name=$(tar -tf "$ARCHIVE" | sed -n '1s,/.*,,p')
    printf '\nOn the device, with Python %s and without a network:\n' "$1"
    printf '  tar -xf %s && sudo %s/setup.sh install\n' "${ARCHIVE##*/}" "$name"
}
