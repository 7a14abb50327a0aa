# shellcheck shell=bash
# What ./setup.sh COMMAND --help prints, for the commands that change something.

# wants_help WORD...: whether one of the words asks for it.
wants_help() {
    local word
    for word in "$@"; do
        case $word in -h | --help) return 0 ;; esac
    done
    return 1
}

# usage_of COMMAND
usage_of() {
    case $1 in
        run)
            cat <<'TEXT'
Usage: ./setup.sh run [FLAGS OF mien run]

Sets up what is missing, then runs Mien. After that, .venv/bin/mien run --help lists the flags.

Examples:
  ./setup.sh run
  ./setup.sh run --demo --seconds 30
TEXT
            ;;
        test)
            cat <<'TEXT'
Usage: ./setup.sh test [--lowest] [FLAGS OF pytest]

Sets up what is missing, then runs ruff, mypy and pytest.

  --lowest   with the oldest packages that pyproject.toml allows, on Python 3.10

Examples:
  ./setup.sh test
  ./setup.sh test tests/unit/edge/test_fusion.py
  PYTHON=python3.10 ./setup.sh test --lowest
TEXT
            ;;
        lock)
            cat <<'TEXT'
Usage: ./setup.sh lock [--upgrade]

Writes down anew, in locks/, which version and file of each package is installed.

  --upgrade   take the newest release of everything

Examples:
  ./setup.sh lock
  ./setup.sh lock --upgrade
TEXT
            ;;
        install)
            cat <<'TEXT'
Usage: sudo ./setup.sh install [--dry-run] [--yes] [--spi] [--watchdog]
                               [--bundle FOLDER] [--key FILE] [--unsigned]

Installs Mien as a service that starts with the machine, or upgrades that.

  --dry-run         print every step, change nothing
  --yes             change the boot configuration of a Raspberry Pi without asking
  --spi             switch SPI on as well as I2C
  --watchdog        have systemd feed the board's own watchdog
  --bundle FOLDER   install from this unpacked bundle rather than from this folder
  --key FILE        public key that bundles have to be signed by; kept from then on
  --unsigned        take a bundle that is not signed, or by a key that is not known

Examples:
  sudo ./setup.sh install --dry-run
  sudo ./setup.sh install
  sudo mien-0.2.0-aarch64-py3.13/setup.sh install --key mien-bundle.pub
  sudo /opt/mien/current/setup.sh install --bundle mien-0.3.0-aarch64-py3.13
TEXT
            ;;
        rollback)
            cat <<'TEXT'
Usage: sudo ./setup.sh rollback [--dry-run]

Puts the version before back in its place, with its units, rules and default settings. Called
again it goes forward again.

  --dry-run   print every step, change nothing

Examples:
  sudo ./setup.sh rollback --dry-run
  sudo /opt/mien/current/setup.sh rollback
TEXT
            ;;
        uninstall)
            cat <<'TEXT'
Usage: sudo ./setup.sh uninstall [--dry-run] [--yes] [--purge]

Takes out what install put there, and says what stays.

  --dry-run   print every step, change nothing
  --yes       take Mien's lines out of the boot configuration without asking
  --purge     remove settings, calibration and the user mien too

Examples:
  sudo ./setup.sh uninstall --dry-run
  sudo /opt/mien/current/setup.sh uninstall
TEXT
            ;;
        bundle)
            cat <<'TEXT'
Usage: ./setup.sh bundle --python VERSION [--arch ARCH] [--out FILE] [--sign KEY]

Packs all that install fetches into one archive, for a device without a network.

  --python VERSION   of the device: what python3 --version says there, 3.10 to 3.13
  --arch ARCH        of the device: aarch64 or x86_64; unless given, this machine's
  --out FILE         the archive; unless given, mien-VERSION-ARCH-pyPYTHON.tar here
  --sign KEY         sign it with this private key of ssh-keygen

Examples:
  ./setup.sh bundle --python 3.13 --arch aarch64
  ssh-keygen -t ed25519 -C mien -f mien-bundle
  ./setup.sh bundle --python 3.13 --arch aarch64 --sign mien-bundle
TEXT
            ;;
        rig)
            cat <<'TEXT'
Usage: sudo ./setup.sh rig [container] [upgrades] [devices] [arm-nets] [arm-boot] [picamera]
       ./setup.sh rig soak [--minutes 60] [--speed 4] [--each-output]
                           [--output NAME]... [--at-once 2]
       ./setup.sh rig start

Proves the installed service where the tests cannot; without a word: container arm-nets.

  container   installed, booted by systemd, and everything done to it that may befall it
  upgrades    there, to ten releases that are broken, each of which has to go back
  devices     in an emulated machine with all its devices
  arm-nets    both nets as aarch64 programs
  arm-boot    installed and booted as aarch64
  picamera    with a camera behind picamera2
  soak        memory, descriptors and threads over an hour; by --output only with one of
              events-file, events-stdout, events-socket, terminal, png, gif, oled, leds,
              neopixel and window, by --each-output with one after the other, each by itself
  start       the time to READY and to the splash

Examples:
  sudo ./setup.sh rig container
  sudo ./setup.sh rig devices picamera
  ./setup.sh rig soak --minutes 30 --speed 2
  ./setup.sh rig soak --output png --output gif
TEXT
            ;;
        release)
            cat <<'TEXT'
Usage: ./setup.sh release VERSION [--dry-run] [--bundle ARCH/PYTHON]... [--sign KEY]

Checks, builds, tries and tags a release; pushes nothing.

  --dry-run              print every step, change nothing
  --bundle ARCH/PYTHON   "none", or which to make, again and again;
                         unless given: aarch64/3.11 aarch64/3.13
  --sign KEY             sign the bundles with this private key of ssh-keygen

Examples:
  ./setup.sh release 0.2.0 --dry-run
  ./setup.sh release 0.2.0 --sign mien-bundle
  ./setup.sh release 0.2.0 --bundle none
TEXT
            ;;
    esac
}

# refuse_word COMMAND WORD: the word is not known.
refuse_word() {
    printf 'setup.sh %s does not know "%s"; see ./setup.sh %s --help.\n' "$1" "$2" "$1" >&2
    exit 2
}
