#!/usr/bin/env bash
# Sets Mien up on Debian, Raspberry Pi OS, Ubuntu or JetPack: runs it, tests it, or installs it.
# See ./setup.sh help. The work is done in setup/*.sh.

[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -euo pipefail

called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")"
REPO_ROOT=$PWD
VENV=$REPO_ROOT/.venv

# shellcheck source=setup/steps.sh
. setup/steps.sh
# shellcheck source=setup/usage.sh
. setup/usage.sh
# shellcheck source=setup/python.sh
. setup/python.sh
# shellcheck source=setup/system.sh
. setup/system.sh
# shellcheck source=setup/packages.sh
. setup/packages.sh
# shellcheck source=setup/lock.sh
. setup/lock.sh
# shellcheck source=setup/install.sh
. setup/install.sh
# shellcheck source=setup/install_release.sh
. setup/install_release.sh
# shellcheck source=setup/install_system.sh
. setup/install_system.sh
# shellcheck source=setup/board.sh
. setup/board.sh
# shellcheck source=setup/watchdog.sh
. setup/watchdog.sh
# shellcheck source=setup/rollback.sh
. setup/rollback.sh
# shellcheck source=setup/uninstall.sh
. setup/uninstall.sh
# shellcheck source=setup/bundle.sh
. setup/bundle.sh
# shellcheck source=setup/use_bundle.sh
. setup/use_bundle.sh
# shellcheck source=setup/bundle_debs.sh
. setup/bundle_debs.sh

show_help() {
    cat <<'END'
Usage: ./setup.sh run [FLAGS OF mien run]   set up what is missing, then run Mien
       ./setup.sh test [FLAGS OF pytest]    set up what is missing, then check and test the code
       ./setup.sh test --lowest [...]       test with the oldest packages that are allowed
       ./setup.sh lock [--upgrade]          write down anew which packages are installed
       sudo ./setup.sh install [--dry-run] [--yes] [--spi] [--watchdog] [--bundle FOLDER]
                                            install it as a service, or upgrade that
       sudo ./setup.sh rollback [--dry-run] go back to the version before
       sudo ./setup.sh uninstall [--dry-run] [--yes] [--purge]
                                            take it out again
       ./setup.sh bundle --python 3.13 [--arch aarch64] [--out FILE] [--sign KEY]
                                            all that install fetches, for a device without network
       sudo ./setup.sh rig [container] [upgrades] [devices] [arm-nets] [arm-boot] [picamera]
                                            prove it in a container, upgraded there to broken releases,
                                            in a guest with all its devices,
                                            the nets for aarch64, booted as aarch64, with a camera
                                            behind picamera2; without a word: container arm-nets
       ./setup.sh rig soak [--minutes 60] [--speed 4] [--each-output]
                                            watch its memory, descriptors and threads meanwhile
       ./setup.sh rig start                 time it and the splash from their start on
       ./setup.sh release VERSION [--dry-run] [--bundle ARCH/PYTHON]
                                            check, build, try and tag a release
       ./setup.sh help                      this page
       ./setup.sh COMMAND --help            one command's flags, with examples

The first run installs system packages (as root or where sudo asks for no password; otherwise it
prints the line to run), makes .venv, and needs a network. Later runs need none.

--dry-run prints every step and changes nothing; --yes changes the boot configuration of a Raspberry
Pi without asking; --spi switches SPI on as well; --watchdog has the hardware watchdog restart a machine
that hangs; --purge removes settings and calibration too.
docs/install.md tells the rest.

PYTHON=python3.12 ./setup.sh run            choose the Python, 3.10 to 3.13

Examples:
  ./setup.sh run
  ./setup.sh run --demo --seconds 30
  ./setup.sh run --camera /dev/video2 --no-voice
  ./setup.sh install --dry-run
END
}

# prepare EXTRA: everything up to a working .venv/bin/mien, with the packages of EXTRA as well.
prepare() {
    open_log
    choose_python
    install_system_packages "$1"
    make_venv
    install_packages "$1"
    fetch_models
    make_demo_clip
    if [ "$1" = dev ]; then install_tflite_runtime; fi
    close_log
}

run_mien() {
    prepare ""
    say_how_to_type
    cd "$called_from"
    exec "$VENV/bin/mien" run "$@"
}

run_tests() {
    if [ "${1:-}" = --lowest ]; then
        test_lowest "${@:2}"
        return
    fi
    STEPS=7
    prepare dev
    local failed=()
    heading "ruff"
    "$VENV/bin/ruff" check . || failed+=(ruff)
    heading "mypy --strict"
    "$VENV/bin/mypy" || failed+=(mypy)
    heading "pytest"
    "$VENV/bin/python" -m pytest "$@" || failed+=(pytest)
    [ ${#failed[@]} -eq 0 ] || die "These checks failed: ${failed[*]}; the lines above say where."
    heading "all checks passed"
}

case "${1:-help}" in
    run | test | lock | install | rollback | uninstall | bundle | rig | release)
        if wants_help "${@:2}"; then
            usage_of "$1"
            exit
        fi
        ;;
esac

case "${1:-help}" in
    run)
        shift
        run_mien "$@"
        ;;
    test)
        shift
        run_tests "$@"
        ;;
    lock)
        shift
        make_lock "$@"
        ;;
    install)
        shift
        install_mien "$@"
        ;;
    rollback)
        shift
        rollback_mien "$@"
        ;;
    uninstall)
        shift
        uninstall_mien "$@"
        ;;
    bundle)
        shift
        bundle_mien "$@"
        ;;
    rig)
        shift
        [ -f tests/acceptance/rig/rig.sh ] ||
            die "The rig comes with the source repository, not with a bundle or an installation: run ./setup.sh rig in a checkout."
        # shellcheck source=tests/acceptance/rig/rig.sh
        . tests/acceptance/rig/rig.sh
        rig_mien "$@"
        ;;
    release)
        shift
        find_python || no_python
        exec "$PY" setup/release.py "$@"
        ;;
    help | -h | --help) show_help ;;
    *)
        printf 'setup.sh knows run, test, lock, install, rollback, uninstall, bundle, rig, release and help, not "%s".\n' "$1" >&2
        exit 2
        ;;
esac
