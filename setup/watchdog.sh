# shellcheck shell=bash
# The hardware watchdog, which restarts a board that hangs: fed by systemd, if a person wants that.

WANT_WATCHDOG=no
WATCHDOG_FILE=$ROOT/etc/systemd/system.conf.d/mien-watchdog.conf

# watchdog: the kernel's name of the first one, such as watchdog0; fails when there is none.
watchdog() {
    local folder
    for folder in "$ROOT"/sys/class/watchdog/watchdog*; do
        if [ -e "$folder" ]; then
            echo "${folder##*/}"
            return
        fi
    done
    return 1
}

# has_watchdog_step: whether there is anything to say of it.
has_watchdog_step() {
    [ "$WANT_WATCHDOG" = yes ] || watchdog >/dev/null
}

# fed_by_systemd: whether its settings, or the distribution's, say so already.
fed_by_systemd() {
    local every
    systemd_runs || return 1
    every=$(systemctl show --property=RuntimeWatchdogUSec --value 2>/dev/null) || true
    [ -n "$every" ] && [ "$every" != 0 ]
}

# fed_by_another: by the package watchdog, say; it may be open only once.
fed_by_another() {
    grep -qxs active "$ROOT"/sys/class/watchdog/watchdog*/state
}

switch_watchdog_on() {
    if ! has_watchdog_step; then return; fi
    step "Watchdog"
    if [ -f "$WATCHDOG_FILE" ] || fed_by_systemd; then
        finish "fed by systemd already"
    elif fed_by_another; then
        finish "another program feeds it"
    elif [ "$WANT_WATCHDOG" = no ] && ! wants_watchdog; then
        finish "$(watchdog) is not used; sudo ./setup.sh install --watchdog lets it restart a board that hangs"
    else
        put "$CHECKOUT/systemd/mien-watchdog.conf" "$WATCHDOG_FILE"
        reread_watchdog
        conclude "restarts the board when that hangs for 10 s"
    fi
}

# wants_watchdog: asks a person who is there. --yes does not answer: that speaks of the boot configuration.
wants_watchdog() {
    local answer=""
    if [ "$DRY_RUN" = yes ] || [ ! -t 0 ]; then return 1; fi
    printf '\n'
    read -r -p "Let the hardware watchdog restart this machine when it hangs for 10 s? [y/N] " answer || true
    [[ $answer == [yY]* ]]
}

switch_watchdog_back() {
    if [ ! -f "$WATCHDOG_FILE" ]; then return; fi
    act rm -f "$WATCHDOG_FILE"
    reread_watchdog
}

# reread_watchdog: systemd reads its own settings when it begins anew, which disturbs no service.
reread_watchdog() {
    if systemd_runs; then act systemctl daemon-reexec || true; fi
}
