# shellcheck shell=bash disable=SC2034 # names are read by the other pieces
# ./setup.sh install: Mien as a service that starts with the machine.

# Another root folder than /, for tests.
ROOT=${MIEN_ROOT:-}
OPT=$ROOT/opt/mien
DRY_RUN=no
ASSUME_YES=no
WANT_SPI=no
PURGE=no
RESTART_NEEDED=no
CHECKOUT=$REPO_ROOT

# act COMMAND...: do it, or under --dry-run say it.
act() {
    if [ "$DRY_RUN" = yes ]; then
        plan "$(printf '%q ' "$@")"
    else
        logged "$@"
    fi
}

# plan TEXT: under --dry-run print it; fails when it is meant.
plan() {
    [ "$DRY_RUN" = yes ] || return 1
    printf '      would: %s\n' "${1% }" >&"$STREAM"
}

# read_options WORD...: those of install and uninstall.
read_options() {
    local command=$1
    shift
    while [ $# -gt 0 ]; do
        case $command:$1 in
            install:--bundle=* | install:--key=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;;
            install:--bundle | install:--key)
                [ $# -gt 1 ] && [ -n "$2" ] || die "$1 needs a value; see ./setup.sh install --help." 2
                case $1 in --bundle) BUNDLE=$(from_caller "$2") ;; --key) BUNDLE_KEY=$(from_caller "$2") ;; esac
                shift 2
                ;;
            install:--unsigned) UNSIGNED=yes && shift ;;
            *:--dry-run) DRY_RUN=yes STREAM=1 && shift ;;
            *:--yes | *:-y) ASSUME_YES=yes && shift ;;
            install:--spi) WANT_SPI=yes && shift ;;
            install:--watchdog) WANT_WATCHDOG=yes && shift ;;
            uninstall:--purge) PURGE=yes && shift ;;
            *) refuse_word "$command" "$1" ;;
        esac
    done
}

# from_caller PATH: it as seen from where setup.sh was called.
from_caller() {
    case $1 in /*) echo "$1" ;; *) echo "${called_from:-$PWD}/$1" ;; esac
}

# become_installer WORD: root, a log and a lock of its own, and files that the service can read.
become_installer() {
    umask 022
    if [ "$DRY_RUN" = yes ]; then return; fi
    if [ -z "$ROOT" ] && [ "$(id -u)" -ne 0 ]; then
        die "$1 changes the system and needs root; run: sudo ./setup.sh $1 (--dry-run shows what it would do)"
    fi
    local tool
    for tool in systemctl systemd-sysusers systemd-tmpfiles; do
        command -v "$tool" >/dev/null ||
            die "There is no $tool here, and the service needs systemd; ./setup.sh run works without."
    done
    if [ -e "$OPT" ] && [ ! -f "$OPT/.made-by-mien" ] && [ -n "$(ls -A "$OPT")" ]; then
        die "$OPT is there and was not made by ./setup.sh; move it away and run it again."
    fi
    mkdir -p "$OPT"
    touch "$OPT/.made-by-mien"
    WORK=$OPT/var
    LOG=$WORK/setup.log
    open_log
}

install_mien() {
    STEPS=12
    read_options install "$@"
    local words=()
    if [ "$ASSUME_YES" = yes ]; then words+=(--yes); fi
    if [ "$WANT_SPI" = yes ]; then words+=(--spi); fi
    if [ "$WANT_WATCHDOG" = yes ]; then words+=(--watchdog); fi
    if [ -n "$BUNDLE" ] && ! is_bundle "$BUNDLE"; then
        die "$BUNDLE is no unpacked bundle; name the folder that tar -xf made of one."
    fi
    if [ -z "$BUNDLE" ] && [ "${MIEN_CHECKED_BUNDLE:-}" != "$CHECKOUT" ] && is_bundle "$CHECKOUT"; then BUNDLE=$CHECKOUT; fi
    if [ -n "$BUNDLE" ] || [ -n "${MIEN_CHECKED_BUNDLE:-}" ]; then STEPS=14; fi
    if [ -n "$BUNDLE_KEY" ]; then check_public_key "$BUNDLE_KEY"; fi
    if [ -z "$BUNDLE" ] && [ -z "${MIEN_CHECKED_BUNDLE:-}" ] && [ "$BUNDLE_KEY$UNSIGNED" != no ]; then
        die "--key and --unsigned are about a bundle, and $CHECKOUT is none; name the unpacked one with --bundle FOLDER." 2
    fi
    if has_watchdog_step; then STEPS=$((STEPS + 1)); fi
    become_installer install
    if [ "$DRY_RUN" = no ] && [ -f "$OPT/probation.json" ]; then
        die "An upgrade is on probation; wait for its end (journalctl -fu mien-probation), or go back with: sudo ./setup.sh rollback"
    fi
    if [ -n "$BUNDLE" ]; then
        if [ "$DRY_RUN" = no ]; then take_bundle "$BUNDLE" "${words[@]}"; else plan_check "$BUNDLE"; fi
        CHECKOUT=$BUNDLE
        WHEELS=$BUNDLE/wheels COMPILED=$BUNDLE/compiled DEBS=$BUNDLE/debs
    elif [ -n "${MIEN_CHECKED_BUNDLE:-}" ]; then
        AT_END=("$CHECKOUT")
        STEP=1 # its check was the first
    fi
    if [ -L "$OPT/current" ] && [ "$DRY_RUN" = no ]; then
        STAYS=$(readlink "$OPT/current")
        STAYS=" Mien ${STAYS##*/} stays."
    fi
    name_board
    use_bundle
    choose_service_python
    install_packages_of_system
    stage_release
    fill_release
    make_users
    look_at_settings
    switch_i2c_on
    switch_watchdog_on
    self_test
    switch_over
    link_command
    if [ "$DRY_RUN" = yes ]; then
        printf '\nNothing was changed.\n'
        return
    fi
    close_log
    rm -rf "${AT_END[@]}"
    say_what_now
}

name_board() {
    step "Board"
    local system=""
    system=$(sed -n 's/^PRETTY_NAME="\(.*\)"/, \1/p' "$ROOT/etc/os-release" 2>/dev/null) || true
    finish "$(board | grep . || echo "no board known") ($(uname -m)$system)"
}

# choose_service_python: one that the service can see as well.
choose_service_python() {
    if [ "$DRY_RUN" = yes ] && [ -z "${PYTHON:-}" ] && ! find_python; then
        step "Python"
        plan "apt-get install python3 python3-venv python3-dev"
        PY=python3 PY_VERSION=unknown
        finish "after that"
        return
    fi
    VENV=$OPT/venv
    choose_python
    [ -z "$BUNDLE_PYTHON" ] || [ "${PY_VERSION%.*}" = "$BUNDLE_PYTHON" ] ||
        die "This bundle is for Python $BUNDLE_PYTHON and here is $PY_VERSION; make one with: ./setup.sh bundle --arch $(uname -m) --python ${PY_VERSION%.*}"
    if [ -z "$ROOT" ]; then
        case $PY in
            /home/* | /root/* | /tmp/*)
                die "$PY lies where the service cannot see it; choose the system's own: sudo PYTHON=/usr/bin/python3 ./setup.sh install" ;;
        esac
    fi
}

install_packages_of_system() {
    if [ "$DRY_RUN" = no ]; then
        install_system_packages
        return
    fi
    step "System packages"
    local names
    if [ "$PY_VERSION" = unknown ]; then
        plan "apt-get install what is missing of ${DEB_NAMES[*]}"
    else
        names=$({ missing_packages; wished_packages; } | sort -u | paste -sd ' ')
        if [ -n "$names" ]; then plan "apt-get install --no-install-recommends $names"; fi
    fi
    finish "${names:-all there}"
}

say_what_now() {
    printf '\n%s\n' "Mien is installed."
    if [ "$RESTART_NEEDED" = yes ]; then
        echo "  Restart, so that the display's bus is on:  sudo reboot"
    fi
    cat <<END
  What it says:      journalctl -u mien -f
  What is missing:   sudo -u mien $COMMAND_IS doctor
  Settings:          /etc/mien/config.toml, then: sudo systemctl restart mien
  Go back:           sudo /opt/mien/current/setup.sh rollback
  Take it out:       sudo /opt/mien/current/setup.sh uninstall
END
}
