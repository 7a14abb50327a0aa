# shellcheck shell=bash disable=SC2034 # names are read by the other pieces
# ./setup.sh uninstall: take out what install put there, and say what stays.

KEPT=()

uninstall_mien() {
    STEPS=2
    read_options uninstall "$@"
    if [ "$DRY_RUN" = no ] && [ ! -e "$OPT/.made-by-mien" ] && [ ! -e "$UNIT_FOLDER/mien.service" ]; then
        printf 'Mien is not installed.\n'
        return
    fi
    become_installer uninstall
    if grep -qxsF "$BLOCK_BEGINS" "$(boot_config)"; then STEPS=3; fi
    take_service_out
    switch_i2c_back
    take_own_out
    if [ "$DRY_RUN" = yes ]; then
        printf '\nNothing was changed.\n'
        return
    fi
    close_log
    # Last, so that an uninstall that was cut off can be run again.
    rm -rf "$OPT"
    say_what_stays
}

take_service_out() {
    step "Service and rules"
    local file
    if systemd_runs; then
        # First what would start the others again.
        act systemctl stop mien-probation.service mien.service mien-splash.service || true
    fi
    act systemctl "${AT_ROOT[@]}" disable mien.service mien-probation.service || true
    while read -r _ file; do act rm -f "$ROOT/$file"; done < <(system_files)
    act rm -f "$UNIT_FOLDER/$GUARD_UNIT"
    act rm -rf "$UNIT_FOLDER/mien.service.d"
    switch_watchdog_back
    if systemd_runs; then
        act systemctl daemon-reload
        act systemctl reset-failed mien.service mien-splash.service || true
        act udevadm control --reload || true
    fi
    conclude "stopped and taken out"
}

# take_own_out: the program, and with --purge what a person put into it.
take_own_out() {
    step "Program"
    unlink_command
    act rm -rf "$OPT/releases" "$OPT/current" "$OPT/previous" "$OPT/venv" "$OPT/guard"
    if [ "$PURGE" = yes ]; then
        act rm -rf "${SETTINGS_FILE%/*}" "$STATE_FOLDER"
        if grep -qs '^mien:' "$ROOT/etc/passwd"; then
            act userdel ${ROOT:+--root "$ROOT"} mien || KEPT+=("the user mien (userdel did not work)")
        fi
    else
        if [ -e "$SETTINGS_FILE" ]; then KEPT+=("$SETTINGS_FILE"); fi
        if [ -e "$STATE_FOLDER" ]; then KEPT+=("$STATE_FOLDER (the calibration)"); fi
        if grep -qs '^mien:' "$ROOT/etc/passwd"; then KEPT+=("the user mien"); fi
    fi
    conclude "taken out"
}

say_what_stays() {
    printf '\nMien is taken out. What stays:\n'
    printf '  %s\n' "${KEPT[@]}" "packages that apt-get installed, and the groups gpio, i2c and spi: others may use them"
    if [ "$PURGE" = no ]; then
        printf '  (sudo ./setup.sh uninstall --purge from a checkout removes settings, calibration and user as well)\n'
    fi
}
