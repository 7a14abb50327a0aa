# shellcheck shell=bash disable=SC2034 # names are read by the other pieces
# The system's own packages in a bundle: fetched by an apt of its own folder, beside that of this
# machine, and installed on the device from a repository that is a folder.

# What a bare system lacks: shared libraries, and the means to compile what has no wheel.
DEB_NAMES=(
    python3 python3-venv python3-dev libegl1 libgles2 libgl1 libglib2.0-0 libportaudio2 gcc libc6-dev
    portaudio19-dev swig
)

# suite_of PYTHON: the release that has it as python3.
suite_of() {
    case $1 in
        3.10) echo jammy ;;
        3.11) echo bookworm ;;
        3.12) echo noble ;;
        3.13) echo trixie ;;
    esac
}

# apt_sources SUITE FOLDER: this machine's own sources, for SUITE; fails where it is another family.
apt_sources() {
    local own file found=1
    own=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    case $own:$1 in
        "$1:$1" | bookworm:trixie | trixie:bookworm) ;;
        *) return 1 ;;
    esac
    mkdir -p "$2"
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
        if [ -f "$file" ] && grep -qw "$own" "$file"; then
            sed "s/\b$own\b/$1/g" "$file" >"$2/${file##*/}"
            found=0
        fi
    done
    return "$found"
}

# collect_debs ARCH PYTHON: into STAGE/debs, with an index.
collect_debs() {
    step "System packages"
    local suite apt=$STAGE/apt arch=amd64 options
    suite=$(suite_of "$2")
    if [ "$1" = aarch64 ]; then arch=arm64; fi
    if ! command -v apt-get >/dev/null || ! apt_sources "$suite" "$apt/sources"; then
        finish "left out: this machine's apt does not know $suite; the device needs ${DEB_NAMES[*]}"
        return
    fi
    mkdir -p "$apt"/lists/partial "$apt"/cache/archives/partial "$apt/none"
    : >"$apt/status"
    options=(
        -o "APT::Architecture=$arch" -o "APT::Architectures=$arch" -o APT::Sandbox::User=root
        -o "Dir::State=$apt" -o "Dir::State::status=$apt/status" -o "Dir::State::lists=$apt/lists"
        -o "Dir::Cache=$apt/cache" -o "Dir::Etc::sourcelist=/dev/null" -o "Dir::Etc::sourceparts=$apt/sources"
        -o "Dir::Etc::preferencesparts=$apt/none" -o Acquire::Retries=2 -o Acquire::Languages=none
    )
    if ! logged apt-get "${options[@]}" update ||
        ! logged apt-get "${options[@]}" install --download-only --yes --no-install-recommends "${DEB_NAMES[@]}"; then
        finish "left out: apt-get cannot fetch them for $suite; the device needs ${DEB_NAMES[*]}"
        return
    fi
    mkdir "$STAGE/debs"
    mv "$apt"/cache/archives/*.deb "$STAGE/debs"
    index_debs "$STAGE/debs"
    rm -rf "$apt"
    finish "$(find "$STAGE/debs" -name '*.deb' | wc -l) of $suite"
}

# index_debs FOLDER: what apt wants to know of the packages in it.
index_debs() {
    local file
    for file in "$1"/*.deb; do
        dpkg-deb --field "$file"
        printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "${file##*/}" "$(stat -c %s "$file")" \
            "$(sha256sum "$file" | cut -d ' ' -f 1)"
    done >"$1/Packages"
}

# use_debs: let apt-get take packages from the bundle alone. They are trusted, because their sums
# were checked with those of the bundle.
use_debs() {
    mkdir -p "$WORK/apt/partial" "$WORK/apt/none"
    echo "deb [trusted=yes] file:${DEBS// /%20} ./" >"$WORK/bundle.list"
    APT_OPTIONS=(
        -o "Dir::Etc::sourcelist=$WORK/bundle.list" -o "Dir::Etc::sourceparts=$WORK/apt/none"
        -o "Dir::State::lists=$WORK/apt" -o APT::Sandbox::User=root
    )
}
