# shellcheck shell=bash disable=SC2034 # names are read by the other pieces
# The boot configuration of a Raspberry Pi: I2C on and at 400 kHz, in a block of lines that can be
# told apart from everybody else's and taken out again.

BLOCK_BEGINS="# Mien begins (made by setup.sh install)"
BLOCK_ENDS="# Mien ends"

# boot_config: the file that the firmware reads; fails when there is none.
boot_config() {
    local file
    for file in "$ROOT/boot/firmware/config.txt" "$ROOT/boot/config.txt"; do
        if [ -f "$file" ]; then
            echo "$file"
            return
        fi
    done
    return 1
}

# without_block FILE: it without Mien's lines; a block that has no end is not Mien's any more.
without_block() {
    awk -v begins="$BLOCK_BEGINS" -v ends="$BLOCK_ENDS" '
        $0 == begins { held = $0 "\n"; inside = 1; next }
        inside && $0 == ends { held = ""; inside = 0; next }
        inside { held = held $0 "\n"; next }
        { print }
        END { printf "%s", held }' "$1"
}

# for_every_board: of a boot configuration, the lines that are not for some models only.
for_every_board() {
    awk '{ sub(/\r$/, "") } /^\[/ { only = $0 != "[all]" } !only && /^[ \t]*dt/ { print }'
}

# missing_parameters FILE SPI: the dtparam that it lacks, nothing when it has all.
missing_parameters() {
    local present lacks=""
    present=$(without_block "$1" | for_every_board)
    # A speed that somebody chose stays: with long wires 400 kHz is too fast.
    grep -qE '^ *dtparam=(.*,)?i2c(_arm|1)?(=on)?(,.*)?$' <<<"$present" || lacks=i2c_arm=on
    grep -qE '^ *dtparam=(.*,)?i2c(_arm|1)?_baudrate=' <<<"$present" ||
        lacks+=${lacks:+,}i2c_arm_baudrate=400000
    if [ "$2" = yes ]; then
        grep -qE '^ *dtparam=(.*,)?spi(=on)?(,.*)?$' <<<"$present" || lacks+=${lacks:+,}spi=on
    fi
    echo "$lacks"
}

# with_block FILE SPI: it with the block that it needs.
with_block() {
    local lacks
    lacks=$(missing_parameters "$1" "$2")
    without_block "$1"
    if [ -n "$lacks" ]; then
        printf '%s\n[all]\ndtparam=%s\n%s\n' "$BLOCK_BEGINS" "$lacks" "$BLOCK_ENDS"
    fi
}

# replace_boot_config FILE NEW: show the change, ask, and put NEW in its place in one step; fails
# when it may not.
replace_boot_config() {
    printf '\nThe change to %s:\n' "$1"
    diff -u --label "now" --label "then" "$1" "$2" || true
    echo
    agreed "Write this change?" || return 1
    if [ "$DRY_RUN" = yes ]; then return; fi
    if ! { cp "$2" "$1.mien-new" && sync "$1.mien-new" && mv "$1.mien-new" "$1"; } 2>>"$LOG"; then
        rm -f "$1.mien-new"
        return 1
    fi
}

# agreed QUESTION: yes by --yes, or by a person who is there to be asked.
agreed() {
    local answer=""
    if [ "$DRY_RUN" = yes ] || [ "$ASSUME_YES" = yes ]; then return; fi
    [ -t 0 ] || return 1
    read -r -p "$1 [y/N] " answer || true
    [[ $answer == [yY]* ]]
}

switch_i2c_on() {
    step "I2C"
    local file new lacks
    if on_jetson; then
        finish "on already: bus 7 on pins 3 and 5"
        return
    elif ! on_raspberry_pi; then
        finish "nothing to switch here"
        return
    elif ! file=$(boot_config); then
        finish "no config.txt found; add dtparam=i2c_arm=on,i2c_arm_baudrate=400000 to yours"
        return
    fi
    new=$(mktemp)
    with_block "$file" "$WANT_SPI" >"$new"
    lacks=$(missing_parameters "$file" "$WANT_SPI")
    if cmp -s "$file" "$new"; then
        finish "as it should be"
    elif replace_boot_config "$file" "$new"; then
        RESTART_NEEDED=yes
        conclude "switched on (dtparam=$lacks), after a restart"
    else
        finish "left alone; add dtparam=$lacks to $file yourself, or agree to it in another install (--yes)"
    fi
    rm -f "$new"
}

# switch_i2c_back: take Mien's lines out again.
switch_i2c_back() {
    local file new
    if ! file=$(boot_config) || ! grep -qxF "$BLOCK_BEGINS" "$file"; then return; fi
    step "I2C"
    new=$(mktemp)
    without_block "$file" >"$new"
    if replace_boot_config "$file" "$new"; then
        conclude "Mien's lines are out of $file"
    else
        KEPT+=("the lines between \"$BLOCK_BEGINS\" and \"$BLOCK_ENDS\" in $file")
        finish "left alone"
    fi
    rm -f "$new"
}
