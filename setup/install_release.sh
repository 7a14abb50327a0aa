# shellcheck shell=bash disable=SC2034,SC2164 # names are read by the other pieces; setup.sh sets -e
# The program itself: every version in a folder of its own under /opt/mien/releases, built beside
# the one that runs, and put in its place by turning one symbolic link.

# How long a new release is watched, and how long its self-test may take.
PROBATION_S=${MIEN_PROBATION_S:-180}
SELF_TEST_S=${MIEN_SELF_TEST_S:-300}
GUARD_UNIT=mien-probation.service
# Variables of set-up, which Mien would take for misspelt settings.
NOT_SETTINGS=(-u MIEN_ROOT -u MIEN_PROBATION_S -u MIEN_SELF_TEST_S -u MIEN_CHECKED_BUNDLE)
# What of a checkout, or of a bundle, belongs on a device.
SOURCES=(edge models_tflite systemd setup locks docs setup.sh pyproject.toml README.md LICENSE CHANGELOG.md)

# release_name: the version, and a digest of all that decides what gets installed: the program, the lock
# and which of its files are used, the Python, and what a bundle has compiled.
release_name() {
    local version digest
    version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' "$CHECKOUT/edge/__init__.py")
    digest=$(
        cd "$CHECKOUT"
        {
            find "${SOURCES[@]}" -type f ! -path '*/__pycache__/*' ! -path '*/fetched/*' -print0 |
                LC_ALL=C sort -z | xargs -0 sha256sum
            echo "$PY $PY_VERSION $(locks "" | paste -sd ' ')"
            if [ -n "$(ls -A "$COMPILED" 2>/dev/null)" ]; then (cd "$COMPILED" && sha256sum -- *); fi
            system_module picamera2 && echo picamera2
        } | sha256sum | cut -c 1-12
    )
    echo "$version-$digest"
}

stage_release() {
    step "Program"
    NAME=unknown
    if [ "$PY_VERSION" != unknown ]; then NAME=$(release_name); fi
    RELEASE=$OPT/releases/$NAME
    if [ -d "$RELEASE" ]; then
        finish "$NAME, there already"
        return
    elif plan "copy ${SOURCES[*]} to $RELEASE"; then
        finish "to be copied"
        return
    fi
    local part=$OPT/releases/.part
    rm -rf "$part"
    mkdir -p "$part"
    if [ -n "${MIEN_CHECKED_BUNDLE:-}" ]; then AT_END+=("$RELEASE"); fi
    tar -C "$CHECKOUT" --exclude=__pycache__ -cf - "${SOURCES[@]}" |
        tar -C "$part" --no-same-owner -xf - 2>>"$LOG" ||
        die_with_log "Mien cannot be copied to $OPT; make room and run it again."
    # The demo's portrait, for the self-test.
    if [ -f "$CHECKOUT/var/astronaut.png" ]; then
        mkdir -p "$part/var"
        cp "$CHECKOUT/var/astronaut.png" "$part/var"
    fi
    gather_system_files "$part/system"
    # A checkout may be readable by its owner alone.
    chmod -R u=rwX,go=rX "$part"
    # Without this a power cut could leave the folder with empty files in it.
    sync -f "$part"
    mv "$part" "$RELEASE"
    finish "$NAME"
}

# fill_release: its virtual environment, packages and face detectors.
fill_release() {
    if [ "$DRY_RUN" = yes ]; then
        plan_filling
        return
    fi
    REPO_ROOT=$RELEASE VENV=$RELEASE/venv
    cd "$RELEASE"
    export PIP_ROOT_USER_ACTION=ignore PIP_CACHE_DIR=$WORK/pip-cache
    distrust_after_power_cut
    make_venv
    cp /proc/sys/kernel/random/boot_id "$VENV/.mien-boot"
    install_packages ""
    check_gpio_library
    # The service may not write, so that it would compile all of it at every start.
    logged "$VENV/bin/python" -m compileall -q edge || true
    fetch_detectors
    logged "$VENV/bin/mien" --version || reject_release "What was installed does not run."
    list_installed
    sync -f "$RELEASE"
    touch "$RELEASE/.complete"
    rm -rf "$WORK/pip-cache" "$WORK/tmp"
    cd "$CHECKOUT"
}

# list_installed: what the release consists of, and the licences.
list_installed() {
    logged "$VENV/bin/python" setup/sbom.py environment --out "$RELEASE" ||
        die_with_log "The list of what was installed cannot be made."
}

# reject_release SENTENCE: end with it; the new release goes away, the one that runs stays.
reject_release() {
    local before
    before=$(readlink "$OPT/current" 2>/dev/null || true)
    if [ "$before" = "releases/$NAME" ]; then die_with_log "$1"; fi
    rm -rf "$RELEASE"
    if [ -z "$before" ]; then die_with_log "$1 Nothing was switched over."; fi
    die_with_log "$1"
}

plan_filling() {
    step "Virtual environment"
    plan "$PY -m venv $RELEASE/venv (with the system's packages where picamera2 is)" || true
    finish "to be made"
    step "Python packages"
    plan "pip install --require-hashes what is in locks/: $(locks "" | paste -sd ' ')${BUNDLE_PYTHON:+, out of the bundle}" || true
    finish "to be installed"
    step "Face detectors"
    plan "take them out of mediapipe==0.10.18, the demo's portrait out of scikit-image==0.24.0, and check their SHA-256" || true
    finish "to be fetched"
}

# distrust_after_power_cut: pip takes a package for installed whose files a power cut left empty, so
# that an environment begun before the last start of the machine is made anew.
distrust_after_power_cut() {
    if [ -d "$VENV" ] && [ ! -f "$RELEASE/.complete" ] &&
        ! cmp -s "$VENV/.mien-boot" /proc/sys/kernel/random/boot_id; then
        rm -rf "$VENV" "$PIP_CACHE_DIR"
    fi
}

# check_gpio_library: RPi.GPIO and rpi-lgpio are the same folder; with both, neither works.
check_gpio_library() {
    local found
    found=$("$VENV/bin/python" -c '
import sys
from importlib.metadata import distributions

names = {"rpi-lgpio", "rpi.gpio", "jetson.gpio"}
own = [path for path in sys.path if path.startswith(sys.prefix)]
print(*sorted({str(found.metadata["Name"]) for found in distributions(path=own)
    if str(found.metadata["Name"]).lower() in names}))')
    [ "$(wc -w <<<"$found")" -le 1 ] ||
        die "$found are installed beside each other in $VENV; delete $RELEASE and run it again."
}

# fetch_detectors: those of MediaPipe, and the portrait that the self-test draws its person from.
fetch_detectors() {
    step "Face detectors"
    logged "$VENV/bin/python" -c '
import sys
from edge.errors import MienError
from edge.fetch import fetch, parcels

try:
    fetch(parcels())
except MienError as error:
    sys.exit(f"mien: {error}")' || die "$(sed -n '$s/^mien: //p' "$LOG" | grep . || echo "The face detectors could not be fetched; $LOG says why.")"
    chmod -R go=rX models_tflite var
    finish "ready"
}

# self_test: whether the new release can read a face and a voice, beside the one that runs.
self_test() {
    step "Self-test"
    if plan "$RELEASE/venv/bin/mien self-test, as the user mien, for at most $SELF_TEST_S s"; then
        finish "to be passed"
        return
    fi
    local result=0 reason
    logged in_the_background "$VENV/bin/mien" self-test --config "$(settings_to_try)" || result=$?
    case $result in
        0) finish "$(said_last | sed 's/\.$//')" ;;
        124 | 137) reject_release "The new version did not pass its self-test: it did not end within $SELF_TEST_S s, or ran out of memory." ;;
        *)
            reason=$(said_last)
            reject_release "The new version did not pass its self-test: ${reason:-it ended with $result.}"
            ;;
    esac
}

# said_last: the last line that the last command has said.
said_last() {
    awk '/^\$ / { said = ""; next } NF { said = $0 } END { print said }' "$LOG" |
        sed 's/^mien: //' | tr -d '\000-\011\013-\037' | cut -c 1-400
}

# in_the_background COMMAND...: as the user of the service, as what everything else comes before, within
# limits of time and memory.
in_the_background() {
    local user=(env)
    if [ -z "$ROOT" ]; then user=(setpriv --reuid=mien --regid=mien --init-groups --no-new-privs --inh-caps=-all); fi
    # A thread on each core has its stack.
    timeout --kill-after=5 "$SELF_TEST_S" nice -n 19 ionice -c 3 choom -n 1000 -- \
        prlimit --data=$((1000000000 + $(nproc) * 100000000)) --core=0 \
        "${user[@]}" env "${NOT_SETTINGS[@]}" HOME=/nonexistent PYTHONDONTWRITEBYTECODE=1 "$@"
}

# switch_over: let the new version take the place of the old one. Where there is an old one, systemd runs
# the guard that does it and goes back; closing this shell changes nothing about that.
switch_over() {
    step "Service"
    local before result=0
    before=$(readlink "$OPT/current" 2>/dev/null || true)
    if [ "$DRY_RUN" = yes ]; then
        plan_switch
        return
    fi
    AT_END=()
    if [ -n "${MIEN_CHECKED_BUNDLE:-}" ]; then AT_END=("$CHECKOUT"); fi
    place_guard
    [ -L "$OPT/venv" ] || ln -s current/venv "$OPT/venv"
    sync -f "$OPT"
    if ! systemd_runs; then
        logged guard switch "$NAME" || die_with_log "Mien $NAME cannot be switched in."
        finish "starts with the machine"
    elif [ -z "$before" ] || [ "$before" = "releases/$NAME" ] || [ ! -d "$OPT/$before" ]; then
        logged guard switch "$NAME" || service_does_not_start
        finish "runs"
    else
        logged guard begin "$NAME" "$PROBATION_S" || die_with_log "The guard does not start."
        STAYS=
        logged guard await || result=$?
        [ "$result" -eq 0 ] || die_with_log "$(said_last)"
        finish "$(said_last | sed 's/\.$//')"
    fi
}

service_does_not_start() {
    logged journalctl --no-pager -u mien.service -n 12 || true
    die_with_log "The service does not start; the lines above, or journalctl -u mien, say why."
}

plan_switch() {
    local file
    while read -r file; do plan "write $ROOT/$file"; done < <(system_files | cut -d ' ' -f 2 | sort)
    plan "write $UNIT_FOLDER/$GUARD_UNIT"
    plan "turn $OPT/current to releases/$NAME"
    act systemctl "${AT_ROOT[@]}" enable mien.service
    if systemd_runs; then act systemctl restart mien.service; fi
    plan "watch it for $PROBATION_S s, go back to the version before if it does less than that did, keep that one"
    finish "to be started"
}

# place_guard: what watches over an upgrade, apart from every release.
place_guard() {
    local new=$OPT/.guard
    rm -rf "$new"
    mkdir -p "$new/edge/process" "$new/edge/upgrade"
    {
        cp "$CHECKOUT/edge/__init__.py" "$new/edge" &&
            cp "$CHECKOUT"/edge/process/{__init__,command_output,printable}.py "$new/edge/process" &&
            cp "$CHECKOUT"/edge/upgrade/*.py "$new/edge/upgrade" &&
            ln -s "$PY" "$new/python" && chmod -R u=rwX,go=rX "$new" && sync -f "$new"
    } 2>>"$LOG" || die_with_log "$new cannot be written."
    # A guard that is at work has loaded what it needs.
    rm -rf "$OPT/guard"
    mv "$new" "$OPT/guard"
    put "$CHECKOUT/systemd/$GUARD_UNIT" "$UNIT_FOLDER/$GUARD_UNIT"
    if systemd_runs; then logged systemctl daemon-reload; fi
}

# guard WORD...: tell it to.
guard() {
    (cd "$OPT/guard" && exec ./python -E -s -B -m edge.upgrade "$@")
}
