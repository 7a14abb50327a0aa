# shellcheck shell=bash disable=SC2034 # names are read by the other pieces
# What the service needs of the system: its user, its settings, access to devices, its units.

# What tells systemd's tools of another root folder.
AT_ROOT=()
if [ -n "${MIEN_ROOT:-}" ]; then AT_ROOT=("--root=$MIEN_ROOT"); fi

UNITS=(mien.service mien-splash.service)
UNIT_FOLDER=$ROOT/etc/systemd/system
SYSUSERS_FILE=$ROOT/etc/sysusers.d/mien.conf
TMPFILES_FILE=$ROOT/etc/tmpfiles.d/mien.conf
RULES_FILE=$ROOT/etc/udev/rules.d/60-mien.rules
MODULES_FILE=$ROOT/etc/modules-load.d/mien.conf
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

make_users() {
    step "User and groups"
    put "$CHECKOUT/systemd/mien.sysusers.conf" "$SYSUSERS_FILE"
    put "$CHECKOUT/systemd/mien.tmpfiles.conf" "$TMPFILES_FILE"
    act systemd-sysusers "${AT_ROOT[@]}" mien.conf ||
        die_with_log "The user mien cannot be made."
    act systemd-tmpfiles "${AT_ROOT[@]}" --create mien.conf ||
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

write_settings() {
    step "Settings"
    if [ -f "$SETTINGS_FILE" ]; then
        if [ "$DRY_RUN" = no ]; then check_settings; fi
        finish "$SETTINGS_FILE kept"
    elif plan "write $SETTINGS_FILE"; then
        finish "to be written"
    else
        board_settings >"$WORK/config.toml"
        put "$WORK/config.toml" "$SETTINGS_FILE"
        finish "$SETTINGS_FILE"
    fi
}

# check_settings: that the new version understands those of the old one, while that still runs.
check_settings() {
    logged "$RELEASE/venv/bin/mien" config check "$SETTINGS_FILE" ||
        die_with_log "This version does not understand $SETTINGS_FILE; mend the lines named above and run it again. Nothing was switched over."
}

open_devices() {
    step "Devices"
    put "$CHECKOUT/systemd/60-mien.rules" "$RULES_FILE"
    put "$CHECKOUT/systemd/mien.modules.conf" "$MODULES_FILE"
    if systemd_runs; then
        # A kernel without one of them is no reason to stop: then there is no such device either.
        act systemctl restart systemd-modules-load.service || true
        act udevadm control --reload || true
        act udevadm trigger --subsystem-match=video4linux --subsystem-match=media \
            --subsystem-match=dma_heap --subsystem-match=gpio --subsystem-match=i2c-dev \
            --subsystem-match=spidev || true
    fi
    conclude "cameras, sound, GPIO, I2C and SPI for their groups"
}

put_units() {
    local unit
    for unit in "${UNITS[@]}"; do put "$CHECKOUT/systemd/$unit" "$UNIT_FOLDER/$unit"; done
    if on_jetson; then put "$CHECKOUT/systemd/jetson.conf" "$UNIT_FOLDER/mien.service.d/jetson.conf"; fi
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
