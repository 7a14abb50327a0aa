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
    printf '      would: %s\n' "${1% }"
}

# read_options WORD...: those of install and uninstall.
read_options() {
    local command=$1 word
    shift
    for word in "$@"; do
        case $command:$word in
            *:--dry-run) DRY_RUN=yes ;;
            *:--yes | *:-y) ASSUME_YES=yes ;;
            install:--spi) WANT_SPI=yes ;;
            install:--watchdog) WANT_WATCHDOG=yes ;;
            uninstall:--purge) PURGE=yes ;;
            *)
                printf 'setup.sh %s does not know "%s"; see ./setup.sh help.\n' "$command" "$word" >&2
                exit 2
                ;;
        esac
    done
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
    if [ -f "$CHECKOUT/bundle.txt" ]; then STEPS=13; fi
    read_options install "$@"
    if has_watchdog_step; then STEPS=$((STEPS + 1)); fi
    become_installer install
    name_board
    use_bundle
    choose_service_python
    install_packages_of_system
    stage_release
    fill_release
    make_users
    write_settings
    open_devices
    switch_i2c_on
    switch_watchdog_on
    switch_over
    link_command
    if [ "$DRY_RUN" = yes ]; then
        printf '\nNothing was changed.\n'
        return
    fi
    close_log
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
  Take it out:       sudo /opt/mien/current/setup.sh uninstall
END
}
