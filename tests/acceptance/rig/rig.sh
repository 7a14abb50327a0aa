# shellcheck shell=bash disable=SC2034 # names are read by the other pieces
# ./setup.sh rig: makes ready what the proofs of tests/acceptance need, each part once, and runs them.
# What cannot be made ready is noted in var/rig/why, and the proofs that need it say so.

RIG=$REPO_ROOT/var/rig
# The release that the container runs and whose Python the aarch64 wheels are for.
RIG_PYTHON=3.13

# shellcheck source=tests/acceptance/rig/container.sh
. tests/acceptance/rig/container.sh
# shellcheck source=tests/acceptance/rig/emulated_machine.sh
. tests/acceptance/rig/emulated_machine.sh
# shellcheck source=tests/acceptance/rig/devices.sh
. tests/acceptance/rig/devices.sh
# shellcheck source=tests/acceptance/rig/arm_nets.sh
. tests/acceptance/rig/arm_nets.sh
# shellcheck source=tests/acceptance/rig/arm_boot.sh
. tests/acceptance/rig/arm_boot.sh
# shellcheck source=tests/acceptance/rig/picamera.sh
. tests/acceptance/rig/picamera.sh
# shellcheck source=tests/acceptance/rig/soak.sh
. tests/acceptance/rig/soak.sh

rig_mien() {
    case ${1:-} in
        soak | start)
            rig_soak "$@"
            return
            ;;
    esac
    local words=() word
    if [ $# -eq 0 ]; then set -- container arm-nets; fi
    for word in "$@"; do
        case $word in
            a | container) words+=(container) ;;
            b | devices) words+=(devices) ;;
            c | arm-nets) words+=(arm-nets) ;;
            d | arm-boot) words+=(arm-boot) ;;
            e | picamera) words+=(picamera) ;;
            upgrades) words+=(upgrades) ;;
            soak | start) die "setup.sh rig $word runs by itself, with its own flags; leave the other words out." 2 ;;
            *) die "setup.sh rig takes container, devices, arm-nets, arm-boot, picamera, upgrades, soak or start, not \"$word\"; see docs/acceptance.md." 2 ;;
        esac
    done
    umask 022
    WORK=$RIG
    LOG=$RIG/setup.log
    open_log
    rm -rf "$RIG/why"
    mkdir -p "$RIG/why" "$RIG/tools"
    # picamera needs an installed Mien, of whatever checkout.
    local container=
    case " ${words[*]} " in
        *" container "* | *" devices "* | *" upgrades "*) container=yes ;;
        *" picamera "*) [ -f "$RIG/installed/made" ] || container=yes ;;
    esac
    STEPS=$((${container:+4}))
    case " ${words[*]} " in *" devices "*) STEPS=$((STEPS + 4)) ;; esac
    case " ${words[*]} " in *" arm-nets "*) STEPS=$((STEPS + 5)) ;; esac
    case " ${words[*]} " in *" arm-boot "*) STEPS=$((STEPS + 7)) ;; esac
    case " ${words[*]} " in *" picamera "*) STEPS=$((STEPS + 4)) ;; esac
    if [ -n "$container" ]; then ready_for_container; fi
    if [[ " ${words[*]} " == *" devices "* ]]; then ready_for_devices; fi
    if [[ " ${words[*]} " == *" arm-nets "* ]]; then ready_for_arm_nets; fi
    if [[ " ${words[*]} " == *" arm-boot "* ]]; then ready_for_arm_boot; fi
    if [[ " ${words[*]} " == *" picamera "* ]]; then ready_for_picamera; fi
    heading "Proofs"
    find_python || no_python
    # The lock stays until the proofs have ended.
    local interpreter=$PY
    if [ -x "$RIG/venv/bin/python" ]; then interpreter=$RIG/venv/bin/python; fi
    PYTHONPATH=$REPO_ROOT PYTHONDONTWRITEBYTECODE=1 exec "$interpreter" -m tests.acceptance "$RIG" "${words[@]}"
}

# attempt NAME FUNCTION: make something ready in a shell of its own; what ends that is noted.
attempt() {
    local result=0 said=$RIG/why/.said
    local next=$((STEP + 1))
    # tee ends with its last writer, perhaps a little late: it is not to keep the lock.
    # Neither `if` nor `||`: within those a shell does not stop at what fails.
    set +e
    (
        set -e
        STEP=$((next - 1))
        "$2"
    ) 2> >(tee "$said" >&2 9>&-)
    result=$?
    set -e
    STEP=$next
    if [ "$result" -ne 0 ]; then
        sleep 0.2 # for tee to write it down
        sed -n 's/^setup: //p' "$said" | tail -n 1 >"$RIG/why/$1"
        [ -s "$RIG/why/$1" ] || echo "it could not be made ready; see $LOG" >"$RIG/why/$1"
        if [ "$result" -eq 130 ]; then exit 130; fi
    fi
    rm -f "$said"
}

# fetch_debs FOLDER PACKAGE...: the packages' files.
fetch_debs() {
    rm -rf "$1"
    mkdir -p "$1"
    logged as_root apt-get -o Acquire::Retries=2 update || true
    (cd "$1" && logged apt-get -o APT::Sandbox::User=root download "${@:2}") ||
        die "apt-get cannot fetch ${*:2}; connect to a network and run it again."
}

# copy_proofs FOLDER: the programs of tests/acceptance, for a system in which they run there.
copy_proofs() {
    mkdir -p "$1/tests"
    tar -C "$REPO_ROOT" --exclude=__pycache__ -cf - tests/acceptance | tar -C "$1" --no-same-owner -xf -
    touch "$1/tests/__init__.py"
}
