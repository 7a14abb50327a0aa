# shellcheck shell=bash disable=SC2034 # names are read by the other pieces
# What an emulated machine is made of: a Debian kernel with drivers for devices that are not there, a
# first root that mounts the real one, and an image of that.

GUEST=$RIG/guest
# In the order in which the first root loads them.
GUEST_BOOT_MODULES=(virtio_pci virtio_blk virtio_rng ext4)

# guest_apt FOLDER ARCH PROGRAM...: apt-get or apt-cache for ARCH (amd64, arm64) of Debian 13, beside
# that of this machine.
guest_apt() {
    local apt=$1/apt-$2 program=$3
    mkdir -p "$apt"/lists/partial "$apt"/cache/archives/partial "$apt/none"
    : >"$apt/status"
    if [ ! -d "$apt/sources" ] && ! apt_sources "$(suite_of "$RIG_PYTHON")" "$apt/sources"; then
        rm -rf "$apt/sources"
        die "Only a Debian 12 or 13 knows where to fetch the guest's kernel."
    fi
    "$program" -o "APT::Architecture=$2" -o "APT::Architectures=$2" -o APT::Sandbox::User=root \
        -o "Dir::State=$apt" -o "Dir::State::status=$apt/status" -o "Dir::State::lists=$apt/lists" \
        -o "Dir::Cache=$apt/cache" -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$apt/sources" \
        -o "Dir::Etc::preferencesparts=$apt/none" -o Acquire::Retries=2 -o Acquire::Languages=none "${@:4}"
}

# newest_kernel ARCH: the name of the package that linux-image-ARCH stands for.
newest_kernel() {
    guest_apt "$GUEST" "$1" apt-cache depends "linux-image-$1" 2>>"$LOG" |
        sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | sed -n 1p
}

# fetch_for_guest ARCH FOLDER PACKAGE...: their files, in FOLDER.
fetch_for_guest() {
    rm -rf "$2"
    mkdir -p "$2"
    (cd "$2" && logged guest_apt "$GUEST" "$1" apt-get download "${@:3}") ||
        die_with_log "apt-get cannot fetch ${*:3}; connect to a network and run it again."
}

# unpack_kernel ARCH: into GUEST/kernel-ARCH, with a busybox for the first root beside it: the files
# vmlinuz, busybox and version, and the folder lib/modules/VERSION.
unpack_kernel() {
    local folder=$GUEST/kernel-$1 name deb version
    if [ -f "$folder/made" ]; then return; fi
    mkdir -p "$GUEST"
    logged guest_apt "$GUEST" "$1" apt-get update || true
    name=$(newest_kernel "$1")
    [ -n "$name" ] || die "apt-cache does not know Debian 13's kernel for $1; connect to a network and run it again."
    version=${name#linux-image-}
    fetch_for_guest "$1" "$GUEST/debs-$1" "$name" busybox-static
    rm -rf "$folder" "$folder.part"
    mkdir -p "$folder.part"
    for deb in "$GUEST/debs-$1"/*.deb; do logged dpkg-deb -x "$deb" "$folder.part/unpacked"; done
    mkdir -p "$folder.part/lib/modules"
    mv "$(find "$folder.part/unpacked" -type d -path "*lib/modules/$version")" "$folder.part/lib/modules/"
    mv "$folder.part/unpacked/boot/vmlinuz-$version" "$folder.part/vmlinuz"
    mv "$folder.part/unpacked/boot/config-$version" "$folder.part/config"
    mv "$(find "$folder.part/unpacked" -type f -path '*bin/busybox' | sed -n 1p)" "$folder.part/busybox"
    rm -rf "$folder.part/unpacked" "$GUEST/debs-$1"
    echo "$version" >"$folder.part/version"
    # Those for the first root are in the package already; without a list modprobe finds none.
    logged depmod -b "$folder.part" "$version"
    touch "$folder.part/made"
    mv "$folder.part" "$folder"
}

# make_initrd KERNEL_FOLDER FILE MODULE...: a first root that loads the modules, mounts /dev/vda and
# starts the systemd that is there. KERNEL_FOLDER is what unpack_kernel made.
make_initrd() {
    local kernel=$1 file=$2 version root module path
    version=$(cat "$kernel/version")
    root=$file.folder
    rm -rf "$root"
    mkdir -p "$root"/{bin,dev,proc,sys,root,modules}
    cp "$kernel/busybox" "$root/bin/busybox"
    for module in "${@:3}"; do
        # What is built in has no file, and modprobe says "builtin".
        modprobe -d "$kernel" -S "$version" --show-depends "$module" 2>>"$LOG" |
            sed -n 's/^insmod \([^ ]*\).*/\1/p'
    done | awk '!seen[$0]++' | while read -r path; do
        case $path in
            *.xz) xz -dc "$path" >"$root/modules/$(basename "${path%.xz}")" ;;
            *) cp "$path" "$root/modules/" ;;
        esac
        basename "${path%.xz}" >>"$root/order"
    done
    touch "$root/order"
    cat >"$root/init" <<'INIT'
#!/bin/busybox sh
# Made by tests/acceptance/rig/emulated_machine.sh.
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
for module in $(/bin/busybox cat /order); do /bin/busybox insmod "/modules/$module"; done
tries=0
while [ ! -b /dev/vda ] && [ "$tries" -lt 100 ]; do
    /bin/busybox sleep 0.1
    tries=$((tries + 1))
done
/bin/busybox mount -t ext4 /dev/vda /root || /bin/busybox poweroff -f
/bin/busybox mount --move /dev /root/dev
/bin/busybox umount /proc /sys
exec /bin/busybox switch_root /root /usr/lib/systemd/systemd
INIT
    chmod +x "$root/init"
    (cd "$root" && find . | LC_ALL=C sort | cpio --create --format=newc --owner=0:0 --quiet | gzip -1) >"$file.part"
    mv "$file.part" "$file"
    rm -rf "$root"
}

# pack_image FOLDER FILE MEGABYTES: an ext4 file system of so many megabytes with what is in FOLDER.
pack_image() {
    rm -f "$2.part"
    truncate -s "$3M" "$2.part"
    logged mkfs.ext4 -q -F -E root_owner=0:0 -d "$1" "$2.part" ||
        die_with_log "The guest's image cannot be made; make room for $3 MB and run it again."
    mv "$2.part" "$2"
}

# get_drivers: the drivers that Debian's kernel lacks, for the amd64 guest: v4l2loopback, and gpio-sim
# with irq_sim. Compiled in the installed system, which has the compiler.
get_drivers() {
    local kernel=$GUEST/kernel-amd64 version base upper=$GUEST/build/upper deb wanted
    version=$(cat "$kernel/version")
    base=${version%-*} # of 6.12.1+deb13-amd64
    wanted="$version $(declare -f get_drivers prepare_gpio_sim compile_drivers | sha256sum)"
    if [ "$(cat "$GUEST/drivers/made" 2>/dev/null)" = "$wanted" ]; then return; fi
    local numbers=${version%%+*}
    local source=linux-source-${numbers%.*}
    if [ ! -f "$GUEST/sources/$version" ]; then
        fetch_for_guest amd64 "$GUEST/sources" "linux-headers-$version" "linux-headers-$base-common" \
            "linux-kbuild-$base" "$source" v4l2loopback-dkms make
        touch "$GUEST/sources/$version"
    fi
    rm -rf "$GUEST/build" "$GUEST/drivers"
    mkdir -p "$upper/build/gpio-sim" "$upper/build/source" "$upper/proc" "$GUEST"/build/{work,merged} "$GUEST/drivers"
    for deb in "$GUEST/sources"/*.deb; do logged dpkg-deb -x "$deb" "$upper"; done
    logged tar -C "$upper/build/source" --strip-components=1 -xf "$upper/usr/src/$source.tar.xz" \
        "$source/drivers/gpio" "$source/kernel/irq" || die_with_log "The kernel's sources cannot be unpacked."
    rm "$upper/usr/src/$source.tar.xz"
    mv "$upper"/usr/src/v4l2loopback-* "$upper/build/v4l2loopback"
    prepare_gpio_sim "$upper/build/source" "$upper/build/gpio-sim"
    with_system "$GUEST/build" compile_drivers "$version"
    cp "$upper"/build/{v4l2loopback/v4l2loopback,gpio-sim/gpio-sim-rig}.ko "$GUEST/drivers"
    rm -rf "$GUEST/build"
    echo "$wanted" >"$GUEST/drivers/made"
}

# prepare_gpio_sim SOURCE FOLDER: one module out of gpio-sim and the simulated interrupts that it uses
# and that Debian's kernel does not have either.
prepare_gpio_sim() {
    cp "$1/drivers/gpio/gpio-sim.c" "$1/kernel/irq/irq_sim.c" "$2"
    cp "$1"/drivers/gpio/*.h "$2"
    # irq_to_desc is not for modules; this does the same by number.
    sed -i 's/handle_simple_irq(irq_to_desc(\([a-z]*\)))/generic_handle_irq(\1)/' "$2/irq_sim.c"
    cat >"$2/Makefile" <<'MAKE'
obj-m := gpio-sim-rig.o
gpio-sim-rig-y := gpio-sim.o irq_sim.o
MAKE
    if [ -f "$1/drivers/gpio/dev-sync-probe.c" ] && grep -q dev-sync-probe "$2/gpio-sim.c"; then
        cp "$1/drivers/gpio/dev-sync-probe.c" "$2"
        echo "gpio-sim-rig-y += dev-sync-probe.o" >>"$2/Makefile"
    fi
}

# with_system FOLDER FUNCTION ARGUMENT...: with the installed system, and FOLDER/upper laid over it, at
# FOLDER/merged; what is written goes into FOLDER/upper.
with_system() {
    local folder=$1 result=0
    logged mount -t overlay mien-rig-guest -o \
        "lowerdir=$RIG/installed/upper:$RIG/debian,upperdir=$folder/upper,workdir=$folder/work" "$folder/merged" ||
        die_with_log "No overlay can be mounted here, so that the guest cannot be made."
    ("${@:2}" "$folder/merged") || result=$?
    umount "$folder/merged" || umount --lazy "$folder/merged"
    [ "$result" -eq 0 ] || exit "$result"
}

compile_drivers() {
    local driver
    for driver in gpio-sim v4l2loopback; do
        logged chroot "$2" make -C "/usr/src/linux-headers-$1" "M=/build/$driver" CONFIG_DEBUG_INFO_BTF_MODULES= modules ||
            die_with_log "The driver $driver cannot be compiled for the guest's kernel."
    done
}
