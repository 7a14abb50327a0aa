# shellcheck shell=bash disable=SC2034 # names are read by the other pieces
# What the service needs of the system: its user, its settings, access to devices, its units.

# What tells systemd's tools of another root folder.
AT_ROOT=()
if [ -n "${MIEN_ROOT:-}" ]; then AT_ROOT=("--root=$MIEN_ROOT"); fi

UNIT_FOLDER=$ROOT/etc/systemd/system
SETTINGS_FILE=$ROOT/etc/mien/config.toml
STATE_FOLDER=$ROOT/var/lib/mien
COMMAND=/opt/mien/venv/bin/mien
COMMAND_LINK=$ROOT/usr/local/bin/mien
# What a person types.
COMMAND_IS=mien

# systemd_runs: not so in a chroot or while an image is made.
systemd_runs() {
    [ -d "$ROOT/run/systemd/system" ]
}

# put FILE TARGET: copy it in one step, so that a power cut leaves the old one or the new one.
put() {
    if plan "write $2"; then return; fi
    if ! { mkdir -p "${2%/*}" && cp "$1" "$2.mien-new" && chmod 644 "$2.mien-new" &&
        sync "$2.mien-new" && mv "$2.mien-new" "$2"; } 2>>"$LOG"; then
        rm -f "$2.mien-new"
        die_with_log "$2 cannot be written."
    fi
}

# system_files: what a release puts into the system: its own file, and where that goes.
system_files() {
    cat <<'TEXT'
mien.service etc/systemd/system/mien.service
mien-splash.service etc/systemd/system/mien-splash.service
mien.sysusers.conf etc/sysusers.d/mien.conf
mien.tmpfiles.conf etc/tmpfiles.d/mien.conf
60-mien.rules etc/udev/rules.d/60-mien.rules
mien.modules.conf etc/modules-load.d/mien.conf
TEXT
    if on_jetson; then echo "jetson.conf etc/systemd/system/mien.service.d/jetson.conf"; fi
}

# gather_system_files FOLDER: these and the default settings, lying in FOLDER as they will in /.
gather_system_files() {
    local file target
    {
        while read -r file target; do
            mkdir -p "$1/${target%/*}" && cp "$CHECKOUT/systemd/$file" "$1/$target"
        done < <(system_files)
        mkdir -p "$1/etc/mien" && board_settings >"$1/etc/mien/config.toml"
    } 2>>"$LOG" || die_with_log "$1 cannot be written."
}

# make_users: from the new release's own files, which are not in force yet.
make_users() {
    step "User and groups"
    local from=$RELEASE/system/etc
    act systemd-sysusers "${AT_ROOT[@]}" "$from/sysusers.d/mien.conf" ||
        die_with_log "The user mien cannot be made."
    act systemd-tmpfiles "${AT_ROOT[@]}" --create "$from/tmpfiles.d/mien.conf" ||
        die_with_log "$STATE_FOLDER cannot be made."
    conclude "mien, in video audio gpio i2c spi render"
}

# conclude RESULT: end a step that did nothing under --dry-run.
conclude() {
    if [ "$DRY_RUN" = yes ]; then finish "see above"; else finish "$1"; fi
}

# board_settings: the settings of a device that differ from the built-in ones.
board_settings() {
    cat <<'TOML'
# Settings of the Mien service. All there are, explained:
#   /opt/mien/venv/bin/mien config default
# After a change: sudo systemctl restart mien

[display]
kind = "oled"
TOML
    if on_jetson; then
        cat <<'TOML'
i2c_port = 7   # pins 3 and 5

# The three pins of a Jetson that can dim an LED.
[leds]
red = 22       # pin 15
green = 12     # pin 32
blue = 13      # pin 33
TOML
    fi
}

look_at_settings() {
    step "Settings"
    if [ -f "$SETTINGS_FILE" ]; then
        if [ "$DRY_RUN" = no ]; then check_settings; fi
        finish "$SETTINGS_FILE kept"
    elif plan "write $SETTINGS_FILE"; then
        finish "to be written"
    else
        finish "those of this board"
    fi
}

# settings_to_try: those that the new release will run with.
settings_to_try() {
    if [ -f "$SETTINGS_FILE" ]; then echo "$SETTINGS_FILE"; else echo "$RELEASE/system/etc/mien/config.toml"; fi
}

# check_settings: that the new version understands those of the old one, while that still runs.
check_settings() {
    logged env "${NOT_SETTINGS[@]}" "$RELEASE/venv/bin/mien" config check "$SETTINGS_FILE" ||
        die_with_log "This version does not understand $SETTINGS_FILE; mend the lines named above and run it again. Nothing was switched over."
}

# link_command: let `mien` be typed alone; what somebody else has put there stays.
link_command() {
    if [ -L "$COMMAND_LINK" ] && [ "$(readlink "$COMMAND_LINK")" = "$COMMAND" ]; then return; fi
    if [ -e "$COMMAND_LINK" ] || [ -L "$COMMAND_LINK" ]; then
        COMMAND_IS=$COMMAND
    elif ! { act mkdir -p "${COMMAND_LINK%/*}" && act ln -s "$COMMAND" "$COMMAND_LINK"; }; then
        COMMAND_IS=$COMMAND # a read-only /usr is no reason to stop
    fi
}

unlink_command() {
    if [ -L "$COMMAND_LINK" ] && [ "$(readlink "$COMMAND_LINK")" = "$COMMAND" ]; then
        act rm -f "$COMMAND_LINK"
    fi
}
