# shellcheck shell=bash disable=SC2034 # names are read by the other pieces
# ./setup.sh bundle: everything that an installation fetches, in one archive for a device without a
# network; and how install makes use of it.

BUNDLE_PYTHON=
# Where the files of an unpacked bundle lie.
WHEELS=$REPO_ROOT/wheels
# Wheels that were made from sources of the lock, whose hashes the lock cannot know.
COMPILED=$REPO_ROOT/compiled
DEBS=$REPO_ROOT/debs
# All the boards' GPIO libraries: which one is wanted shows on the device.
BUNDLE_LOCKS=(build run pi pi-classic jetson)

bundle_mien() {
    STEPS=6
    local arch="" python="" out=""
    while [ $# -gt 0 ]; do
        case $1 in
            --arch=* | --python=* | --out=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;;
            --arch | --python | --out)
                [ $# -gt 1 ] || die "$1 needs a value; see ./setup.sh help."
                case $1 in --arch) arch=$2 ;; --python) python=$2 ;; --out) out=$2 ;; esac
                shift 2
                ;;
            *) die "setup.sh bundle does not know \"$1\"; see ./setup.sh help." ;;
        esac
    done
    arch=${arch:-$(uname -m)}
    case $arch in
        aarch64 | x86_64) ;;
        *) die "There are no packages of MediaPipe for \"$arch\"; --arch takes aarch64 or x86_64." ;;
    esac
    [ -n "$python" ] || die "Say for which Python with --python; it is what python3 --version says on the device, such as 3.13."
    glibc_of "$python" >/dev/null || die "Mien runs on Python 3.10 to 3.13; --python cannot be \"$python\"."
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
    pack_bundle "$arch" "$python" "$out"
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

# pack_bundle ARCH PYTHON OUT: the archive, with a sum for each file.
pack_bundle() {
    step "Archive"
    local version name
    version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' "$REPO_ROOT/edge/__init__.py")
    name=mien-$version-$1-py$2
    ARCHIVE=${3:-$called_from/$name.tar}
    case $ARCHIVE in /*) ;; *) ARCHIVE=$called_from/$ARCHIVE ;; esac
    rm -rf "$STAGE/scratch"
    mkdir "$STAGE/$name"
    tar -C "$REPO_ROOT" --exclude=__pycache__ -cf - "${SOURCES[@]}" | tar -C "$STAGE/$name" -xf -
    mv "$STAGE/wheels" "$STAGE/compiled" "$STAGE/$name"
    if [ -d "$STAGE/debs" ]; then mv "$STAGE/debs" "$STAGE/$name"; fi
    printf 'arch=%s\npython=%s\n' "$1" "$2" >"$STAGE/$name/bundle.txt"
    (cd "$STAGE/$name" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum >"$STAGE/sums")
    mv "$STAGE/sums" "$STAGE/$name/SHA256SUMS"
    tar -C "$STAGE" --sort=name --owner=0 --group=0 --numeric-owner -cf "$ARCHIVE.part" "$name" 2>>"$LOG" ||
        die_with_log "The archive cannot be written to $ARCHIVE; make room or name another place with --out."
    mv "$ARCHIVE.part" "$ARCHIVE"
    finish "$ARCHIVE ($(du -m "$ARCHIVE" | cut -f 1) MB)"
}

say_what_to_do_with_it() {
    local name
    name=$(tar -tf "$ARCHIVE" | sed -n '1s,/.*,,p')
    printf '\nOn the device, with Python %s and without a network:\n' "$1"
    printf '  tar -xf %s && sudo %s/setup.sh install\n' "${ARCHIVE##*/}" "$name"
}

# bundled KEY: what the bundle says of itself.
bundled() {
    sed -n "s/^$1=//p" "$CHECKOUT/bundle.txt"
}

# use_bundle: take everything from the unpacked bundle that this is, if it is one.
use_bundle() {
    [ -f "$CHECKOUT/bundle.txt" ] || return 0
    step "Bundle"
    BUNDLE_PYTHON=$(bundled python)
    [ "$(bundled arch)" = "$(uname -m)" ] ||
        die "This bundle is for $(bundled arch) and here is $(uname -m); make one with: ./setup.sh bundle --arch $(uname -m) --python $BUNDLE_PYTHON"
    if [ "$DRY_RUN" = no ]; then
        (cd "$CHECKOUT" && logged sha256sum --check --quiet --strict SHA256SUMS) ||
            die_with_log "The bundle is damaged; copy it again."
        export PIP_NO_INDEX=1 PIP_FIND_LINKS="file://${WHEELS// /%20}"
        if [ -d "$DEBS" ]; then use_debs; fi
    fi
    finish "Python $BUNDLE_PYTHON, $(find "$WHEELS" "$COMPILED" -type f | wc -l) packages"
}
