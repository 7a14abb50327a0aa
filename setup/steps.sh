# shellcheck shell=bash
# How set-up speaks: numbered steps with their time, a log for the rest, one sentence on failure.
# All of it on the standard error, because `mien run --events -` owns the standard output.

STEPS=6
STEP=0
# What set-up keeps for itself: log, lock and scratch files.
WORK=$REPO_ROOT/var
LOG=$WORK/setup.log
ticker=
announced=0

# heading TEXT: a line of its own.
heading() {
    printf '\n== %s\n' "$1"
}

# die SENTENCE: end with what is wrong and what to do about it.
die() {
    stop_ticker
    if [ "$STEP" -gt 0 ] && [ -t 2 ]; then printf '\n' >&2; fi
    printf 'setup: %s\n' "$1" >&2
    exit 1
}

# die_with_log SENTENCE: as die, with the end of the log before it.
die_with_log() {
    stop_ticker
    printf '\n' >&2
    tail -n 15 "$LOG" | sed 's/^/    /' >&2
    die "$1 The whole story is in $LOG."
}

# open_log: start a new log and keep other set-ups out until close_log.
open_log() {
    if ! mkdir -p "$WORK" 2>/dev/null || [ ! -w "$WORK" ] || { [ -e "$LOG" ] && [ ! -w "$LOG" ]; }; then
        die "$WORK cannot be written to; give yourself the folder with: sudo chown -R $(id -u) ${WORK%/*}"
    fi
    exec 9>"$WORK/setup.lock"
    flock -n 9 || die "Another ./setup.sh is at work in ${WORK%/*}; wait for it to end."
    : >"$LOG"
    trap stop_ticker EXIT
    trap 'stop_ticker; printf "\nsetup: Stopped; run it again to go on where it was.\n" >&2; exit 130' INT TERM
}

# close_log: let go, so that the lock does not stay with the appliance.
close_log() {
    trap - EXIT INT TERM
    exec 9>&-
}

# step NAME: begin the next step.
step() {
    STEP=$((STEP + 1))
    step_name=$1
    step_start=$SECONDS
    if [ -t 2 ]; then printf '[%d/%d] %s …' "$STEP" "$STEPS" "$1" >&2; fi
}

# finish RESULT: end the step.
finish() {
    if [ -t 2 ]; then printf '\r\033[K' >&2; fi
    printf '[%d/%d] %s: %s (%d s)\n' "$STEP" "$STEPS" "$step_name" "$1" $((SECONDS - step_start)) >&2
}

# logged COMMAND...: run it with its output in the log, showing that time passes.
logged() {
    printf '\n$ %s\n' "$*" >>"$LOG"
    start_ticker
    local result=0
    "$@" >>"$LOG" 2>&1 </dev/null 9>&- || result=$?
    stop_ticker
    return "$result"
}

start_ticker() {
    local pause=20
    if [ -t 2 ]; then
        pause=1
    elif [ "$announced" != "$STEP" ]; then
        printf '[%d/%d] %s …\n' "$STEP" "$STEPS" "$step_name" >&2
        announced=$STEP
    fi
    (
        trap - EXIT INT TERM
        while sleep "$pause" >/dev/null 2>&1; do
            doing=$(tail -n 1 "$LOG" | tr -dc '[:print:]' | cut -c 1-48)
            if [ -t 2 ]; then
                printf '\r\033[K[%d/%d] %s … %d s  %s' \
                    "$STEP" "$STEPS" "$step_name" $((SECONDS - step_start)) "$doing"
            else
                printf '      %d s: %s\n' $((SECONDS - step_start)) "$doing"
            fi
        done
    ) 9>&- >&2 &
    ticker=$!
}

stop_ticker() {
    if [ -n "$ticker" ]; then
        # A ticker that has only just begun still has this shell's traps and would take TERM for none.
        kill -KILL "$ticker" 2>/dev/null || true
        wait "$ticker" 2>/dev/null || true
        ticker=
    fi
}

# say_how_to_type: the documentation says `mien`, which a checkout puts on nobody's PATH.
say_how_to_type() {
    if ! command -v mien >/dev/null; then
        printf 'To type mien alone, as the documentation does:  . %q\n' "$VENV/bin/activate" >&2
    fi
}
