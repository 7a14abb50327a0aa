# shellcheck shell=bash
# How set-up speaks: numbered steps with their time, a log for the rest, one sentence on failure.
# All of it on the standard error, because `mien run --events -` owns the standard output.

# Where steps are announced: under --dry-run the standard output, with what would be done in them.
STREAM=2
STEPS=6
STEP=0
step_name=
# What set-up keeps for itself: log, lock and scratch files.
WORK=$REPO_ROOT/var
LOG=$WORK/setup.log
# The log can be written even when the disk is full, which it then says.
LOG_ROOM_KB=4096
ticker=
announced=0
explained=no
# What is said beside what went wrong: " Mien 0.2.0-... stays."
STAYS=
# What goes away when set-up ends, whatever came of it.
AT_END=()

# heading TEXT: a line of its own.
heading() {
    printf '\n== %s\n' "$1"
}

# die SENTENCE [STATUS]: end with what is wrong and what to do about it, with 1 unless it is given.
# 2 is for a command line that is wrong.
die() {
    stop_ticker
    if [ "$STEP" -gt 0 ] && [ -t 2 ]; then printf '\n' >&2; fi
    printf 'setup: %s\n' "$1$STAYS" >&2
    explained=yes
    exit "${2:-1}"
}

# die_with_log SENTENCE: as die, with the end of the log before it; if what it tells of is a full disk,
# that is said instead, whatever the program that ran into it takes it for.
die_with_log() {
    stop_ticker
    printf '\n' >&2
    tail -n 15 "$LOG" | sed 's/^/    /' >&2
    if last_command_ran_out_of_room; then die_of_full_disk; fi
    die "$1 The whole story is in $LOG."
}

# last_command_ran_out_of_room: by what the log says since its last command. A linker whose output
# finds no room dies of SIGBUS, apt-get counts beforehand.
last_command_ran_out_of_room() {
    awk '/^\$ / { found = 0 }
        tolower($0) ~ /no space left|errno 28|enospc|disk quota exceeded|enough free space|signal 7 \[bus error\]/ { found = 1 }
        END { exit !found }' "$LOG"
}

die_of_full_disk() {
    die "There is no room on the disk${step_name:+ for the step \"$step_name\"}; make room (Mien needs $NEEDED_MB MB) and run it again. The whole story is in $LOG."
}

# end_badly STATUS: the last word of a set-up that ended with it and without a sentence.
end_badly() {
    stop_ticker
    if [ ${#AT_END[@]} -gt 0 ]; then rm -rf "${AT_END[@]}"; fi
    [ "$1" -ne 0 ] && [ "$explained" = no ] || return 0
    if ! room_for_a_file "$WORK"; then
        printf 'setup: There is no room on the disk of %s; make room and run it again.\n' "$WORK" >&2
    else
        printf 'setup: It ended in the step "%s"; the lines above or %s say why.\n' "$step_name" "$LOG" >&2
    fi
}

# room_for_a_file FOLDER
room_for_a_file() {
    local file=$1/.room result=0
    head -c 65536 /dev/zero 2>/dev/null >"$file" || result=$?
    rm -f "$file"
    return "$result"
}

# open_log: start a new log and keep other set-ups out until close_log.
open_log() {
    if ! mkdir -p "$WORK" 2>/dev/null || [ ! -w "$WORK" ] || { [ -e "$LOG" ] && [ ! -w "$LOG" ]; }; then
        die "$WORK cannot be written to; give yourself the folder with: sudo chown -R $(id -u) ${WORK%/*}"
    fi
    exec 9>"$WORK/setup.lock"
    flock -n 9 || die "Another ./setup.sh is at work in ${WORK%/*}; wait for it to end."
    : >"$LOG"
    room_for_a_file "$WORK" || die_of_full_disk
    # Not every file system can keep room for what is not written yet.
    fallocate --keep-size --length "${LOG_ROOM_KB}KiB" "$LOG" 2>/dev/null || true
    trap 'end_badly $?' EXIT
    trap 'stop_ticker; explained=yes; printf "\nsetup: Stopped; run it again to go on where it was.\n" >&2; exit 130' INT TERM
}

# close_log: let go, so that the lock does not stay with the appliance.
close_log() {
    trap - EXIT INT TERM
    truncate --no-create --size=+0 "$LOG" 2>/dev/null || true
    exec 9>&-
}

# step NAME: begin the next step.
step() {
    STEP=$((STEP + 1))
    step_name=$1
    step_start=$SECONDS
    if [ -t "$STREAM" ]; then printf '[%d/%d] %s …' "$STEP" "$STEPS" "$1" >&"$STREAM"; fi
}

# finish RESULT: end the step.
finish() {
    if [ -t "$STREAM" ]; then printf '\r\033[K' >&"$STREAM"; fi
    printf '[%d/%d] %s: %s (%d s)\n' "$STEP" "$STEPS" "$step_name" "$1" $((SECONDS - step_start)) >&"$STREAM"
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
