# shellcheck shell=bash disable=SC2034,SC2164 # names are read by the other pieces; setup.sh sets -e
# The program itself: every version in a folder of its own under /opt/mien/releases, built beside
# the one that runs, and put in its place by turning one symbolic link.

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
            if [ -d "$COMPILED" ]; then (cd "$COMPILED" && sha256sum -- *); fi
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
    tar -C "$CHECKOUT" --exclude=__pycache__ -cf - "${SOURCES[@]}" |
        tar -C "$part" --no-same-owner -xf - 2>>"$LOG" ||
        die_with_log "Mien cannot be copied to $OPT; make room and run it again."
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
    logged "$VENV/bin/mien" --version ||
        die_with_log "What was installed does not run; delete $RELEASE and run it again."
    sync -f "$RELEASE"
    touch "$RELEASE/.complete"
    cd "$CHECKOUT"
}

plan_filling() {
    step "Virtual environment"
    plan "$PY -m venv $RELEASE/venv (with the system's packages where picamera2 is)" || true
    finish "to be made"
    step "Python packages"
    plan "pip install --require-hashes what is in locks/: $(locks "" | paste -sd ' ')${BUNDLE_PYTHON:+, out of the bundle}" || true
    finish "to be installed"
    step "Face detectors"
    plan "take them out of mediapipe==0.10.18 and check their SHA-256" || true
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

# fetch_detectors: those of MediaPipe; the demo's portrait is not for a device.
fetch_detectors() {
    step "Face detectors"
    logged "$VENV/bin/python" -c '
import sys
from edge.errors import MienError
from edge.fetch import fetch, parcels

try:
    fetch(parcels()[:1])
except MienError as error:
    sys.exit(f"mien: {error}")' || die "$(sed -n '$s/^mien: //p' "$LOG" | grep . || echo "The face detectors could not be fetched; $LOG says why.")"
    chmod -R go=rX models_tflite
    finish "ready"
}

# switch_over: let the new version take the place of the old one, and go back if it does not start.
switch_over() {
    step "Service"
    local before
    before=$(readlink "$OPT/current" 2>/dev/null || true)
    put_units
    if plan "turn $OPT/current to releases/$NAME"; then
        act systemctl "${AT_ROOT[@]}" enable mien.service
        if systemd_runs; then act systemctl restart mien.service; fi
        plan "remove older versions from $OPT/releases"
        finish "to be started"
        return
    fi
    point_to "releases/$NAME"
    [ -L "$OPT/venv" ] || ln -s current/venv "$OPT/venv"
    sync -f "$OPT"
    act systemctl "${AT_ROOT[@]}" enable mien.service ||
        die_with_log "The service cannot be enabled."
    if ! systemd_runs; then
        remove_other_releases
        finish "starts with the machine"
        return
    fi
    logged systemctl daemon-reload
    logged systemctl reset-failed mien.service || true
    if ! logged systemctl restart mien.service; then
        logged journalctl --no-pager -u mien.service -n 12 || true
        if [ -n "$before" ] && [ "$before" != "releases/$NAME" ] && [ -d "$OPT/$before" ]; then
            point_to "$before"
            logged systemctl restart mien.service || true
            die_with_log "The new version does not start, so that the one before is back in its place."
        fi
        die_with_log "The service does not start; the lines above, or journalctl -u mien, say why."
    fi
    remove_other_releases
    finish "runs"
}

# point_to FOLDER: turn the link in one step.
point_to() {
    ln -sfn "$1" "$OPT/.next"
    mv -T "$OPT/.next" "$OPT/current"
}

remove_other_releases() {
    local folder
    for folder in "$OPT"/releases/*/ "$OPT"/releases/.part/; do
        if [ -d "$folder" ] && [ "$folder" != "$RELEASE/" ]; then rm -rf "$folder"; fi
    done
    rm -rf "$WORK/pip-cache" "$WORK/tmp"
}
