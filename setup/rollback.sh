# shellcheck shell=bash disable=SC2034 # names are read by the other pieces
# ./setup.sh rollback: put the version before back in its place, with its units and rules.

rollback_mien() {
    STEPS=1
    read_options rollback "$@"
    local previous current
    current=$(readlink "$OPT/current" 2>/dev/null || true)
    previous=$(readlink "$OPT/previous" 2>/dev/null || true)
    # While a new version is on probation, the link still names the one before the one before.
    if [ -f "$OPT/probation.json" ]; then previous="the version before"; fi
    [ -n "$current" ] || die "Mien is not installed; there is nothing to go back from."
    [ -n "$previous" ] || die "There is no other version here to go back to."
    if [ "$DRY_RUN" = yes ]; then
        step "Service"
        plan "put $previous in the place of $current, with its units, rules and default settings"
        act systemctl restart mien.service
        finish "to be started"
        printf '\nNothing was changed.\n'
        return
    fi
    become_installer rollback
    step "Service"
    logged guard rollback || die_with_log "The version before cannot be put back."
    finish "$(said_last) is back"
    close_log
}
