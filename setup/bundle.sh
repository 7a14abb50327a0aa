# shellcheck shell=bash disable=SC2034 # names are read by the other pieces
# ./setup.sh bundle: everything that an installation fetches, in one archive for a device without a
# network; and how install makes use of it.

BUNDLE_PYTHON=
# Where the files of an unpacked bundle lie.
WHEELS=$REPO_ROOT/wheels
DEBS=$REPO_ROOT/debs
# All the boards' GPIO libraries: which one is wanted shows on the device.
BUNDLE_EXTRAS=(clip pi pi-classic jetson)
# Known to have no wheels, which saves asking for each; others are found out.
WITHOUT_WHEELS=(PyAudio RPi.GPIO sdnotify spidev)

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
    mkdir -p "$STAGE"/{wheels,scratch}
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

# collect_wheels ARCH PYTHON: all packages; those without wheels as sources.
collect_wheels() {
    step "Python packages"
    local wanted=() bare=() name lacking tries
    mapfile -t wanted < <(foreign_pip "$1" "$2" list "${BUNDLE_EXTRAS[@]}" | sort -u)
    # It asks for lgpio, which may have no wheel; so that one is asked for by itself.
    mapfile -t wanted < <(printf '%s\n' "${wanted[@]}" | sed '/^rpi-lgpio/d'; echo "lgpio>=0.1")
    logged foreign_pip "$1" "$2" download --no-deps --dest "$STAGE/wheels" rpi-lgpio || explain_pip
    for name in "${WITHOUT_WHEELS[@]}"; do take_as_source "$name" || true; done
    for tries in {1..9}; do
        if logged foreign_pip "$1" "$2" download --dest "$STAGE/wheels" "${wanted[@]}"; then break; fi
        lacking=$(sed -n 's/^ERROR: No matching distribution found for \([A-Za-z0-9._-]*\).*/\1/p' "$LOG" | tail -n 1)
        if [ "$tries" = 9 ] || ! take_as_source "$lacking"; then explain_pip; fi
    done
    if [ "$2" = 3.11 ]; then
        # Debian 12's picamera2 was built for numpy 1: see constraint.
        logged foreign_pip "$1" "$2" download --dest "$STAGE/wheels" "${wanted[@]}" "numpy<2" || explain_pip
    fi
    logged "$VENV/bin/python" -m pip --disable-pip-version-check install setuptools wheel || explain_pip
    for name in "${bare[@]}"; do collect_source "$1" "$2" "$name"; done
    finish "$(find "$STAGE/wheels" -name '*.whl' | wc -l) wheels, $(find "$STAGE/wheels" -name '*.tar.gz' | wc -l) to be compiled on the device"
}

# take_as_source NAME: move its line from wanted to bare; fails when it has none there.
take_as_source() {
    local line
    for line in "${!wanted[@]}"; do
        if [ -n "$1" ] && [[ ${wanted[line],,} =~ ^"${1,,}"([^a-z0-9._-]|$) ]]; then
            bare+=("${wanted[line]}")
            unset "wanted[line]"
            return
        fi
    done
    return 1
}

# foreign_pip ARCH PYTHON ...: pip as it would choose on that machine.
foreign_pip() {
    "$VENV/bin/python" "$REPO_ROOT/setup/foreign_pip.py" "$1" "$2" "$(glibc_of "$2")" "${@:3}"
}

# collect_source ARCH PYTHON REQUIREMENT: a wheel that fits, if one can be made here, else the source.
collect_source() {
    local made=$STAGE/made pip=("$VENV/bin/python" -m pip --disable-pip-version-check --no-input)
    # With setuptools at hand, instead of fetching it anew for each of them.
    local flags=(--no-deps --no-build-isolation)
    rm -rf "$made"
    logged "${pip[@]}" download "${flags[@]}" --no-binary :all: --dest "$made" "$3" || explain_pip
    if is_pure "$made"/* || { [ "$1" = "$(uname -m)" ] && [ "$2" = "${PY_VERSION%.*}" ]; }; then
        if logged env PYPI=1 "${pip[@]}" wheel "${flags[@]}" --wheel-dir "$STAGE/wheels" "$made"/*; then
            return
        fi
    fi
    mv "$made"/* "$STAGE/wheels"
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
    rm -rf "$STAGE/scratch" "$STAGE/made"
    mkdir "$STAGE/$name"
    tar -C "$REPO_ROOT" --exclude=__pycache__ -cf - "${SOURCES[@]}" | tar -C "$STAGE/$name" -xf -
    mv "$STAGE/wheels" "$STAGE/$name"
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
    finish "Python $BUNDLE_PYTHON, $(find "$WHEELS" -type f | wc -l) packages"
}
