# shellcheck shell=bash disable=SC2034 # names are read by the other pieces
# How install makes use of a bundle. Only the files that its list names are looked at: they are copied
# into a folder that root alone can write to, checked there, and used from there, so that nobody
# can exchange one after it was checked. The list itself is signed.

# Who signs, and for what: as ssh-keygen wants to be told.
SIGNER=mien-bundle
NAMESPACE=mien-bundle
KEPT_KEY=$ROOT/etc/mien/bundle-key.pub
LIST_BYTES=4000000
# A signature has 300 to 3,000; ssh-keygen takes a quarter of a minute for one of 4 MB.
SIGNATURE_BYTES=16384
BUNDLE=
BUNDLE_KEY=
UNSIGNED=no

# check_signing_key KEY: that a bundle can be signed with it, before it is made.
check_signing_key() {
    command -v ssh-keygen >/dev/null ||
        die "There is no ssh-keygen here to sign with; install it with: sudo apt-get install openssh-client"
    [ -f "$1" ] || die "There is no key $1; make one with: ssh-keygen -t ed25519 -C mien -f $1"
    ssh-keygen -l -f "$1" >/dev/null 2>&1 || die "$1 is no key that ssh-keygen knows; make one with: ssh-keygen -t ed25519 -C mien -f mien-bundle"
}

# check_public_key KEY: that a signature can be checked by it.
check_public_key() {
    [ -f "$1" ] || die "There is no key $1; give the public key that the bundle is signed by."
    if grep -qs 'PRIVATE KEY' "$1"; then
        die "$1 is a private key, which belongs on no device; give the public one, whose name ends in .pub."
    fi
    first_key "$1" | ssh-keygen -l -f - >/dev/null 2>&1 ||
        die "$1 is no public key of ssh-keygen; give the file whose name ends in .pub."
}

# first_key FILE: its first line that is no comment.
first_key() {
    timeout 10 head -c "$SIGNATURE_BYTES" "$1" | tr -d '\0' | grep -m 1 -v '^[[:space:]]*\(#\|$\)'
}

# sign_bundle FOLDER KEY: its list; may ask for the key's passphrase.
sign_bundle() {
    rm -f "$1/SHA256SUMS.sig"
    ssh-keygen -q -Y sign -f "$2" -n "$NAMESPACE" "$1/SHA256SUMS" 2>>"$LOG" ||
        die_with_log "The bundle cannot be signed with $2; give a private key of ssh-keygen and its passphrase."
}

# bundled KEY: what the bundle says of itself.
bundled() {
    sed -n "s/^$1=//p" "$CHECKOUT/bundle.txt"
}

# is_bundle FOLDER
is_bundle() {
    [ -e "$1/bundle.txt" ] || [ -e "$1/SHA256SUMS" ]
}

# take_bundle FOLDER WORD...: check it and go on as the setup.sh of the checked copy, with the words.
take_bundle() {
    local from=$1 copy=$WORK/bundle
    shift
    AT_END=("$copy" "$copy.names" "$copy.signers")
    step "Check of the bundle"
    check_listed "$from" "$copy"
    finish "$(wc -l <"$copy/SHA256SUMS") files checked, $SIGNED"
    close_log
    MIEN_CHECKED_BUNDLE=$copy exec "$copy/setup.sh" install "$@"
}

# plan_check FOLDER: what a real install would do with the bundle first.
plan_check() {
    local unsigned=""
    if [ ! -f "$1/SHA256SUMS.sig" ] && [ "$UNSIGNED" = no ]; then
        unsigned=" (it is not signed: it is refused without --unsigned)"
    fi
    step "Check of the bundle"
    plan "copy what its SHA256SUMS lists, and check the sums and the signature$unsigned"
    finish "not checked yet"
}

# check_listed FROM TO: copy the bundle FROM to TO and check it there.
check_listed() {
    copy_listed "$1" "$2"
    check_signature "$2"
    check_sums "$2"
    if [ ! -x "$2/setup.sh" ] || [ ! -f "$2/bundle.txt" ]; then
        die "This bundle is not whole: it lists no setup.sh or no bundle.txt; make it again with ./setup.sh bundle."
    fi
}

# copy_listed FROM TO: the files that the list of FROM names into TO, which is made anew and root's own.
copy_listed() {
    local name bytes=$LIST_BYTES
    rm -rf "$2"
    (umask 077 && mkdir -p "$2")
    for name in SHA256SUMS SHA256SUMS.sig; do
        if [ -f "$1/$name" ] && [ ! -L "$1/$name" ]; then
            timeout 60 head -c "$bytes" "$1/$name" >"$2/$name" || die "$1/$name cannot be read; copy the bundle again."
        fi
        bytes=$SIGNATURE_BYTES
    done
    [ -s "$2/SHA256SUMS" ] || die "This bundle has no SHA256SUMS, or an empty one; copy it again."
    list_names "$2/SHA256SUMS" >"$2.names" || die "The SHA256SUMS of this bundle is damaged; copy it again."
    check_room "$1" "$2.names"
    # tar stores a link or a pipe as such instead of reading from it.
    if ! logged copy_by_tar "$1" "$2"; then
        if last_command_ran_out_of_room; then die_with_log ""; fi
        die_with_log "A file that the bundle lists cannot be read; copy it again."
    fi
    rm -f "$2.names"
    name=$(find "$2" ! -type f ! -type d -printf '%P' -quit)
    [ -z "$name" ] || die "$name in this bundle is no regular file; copy it again."
}

copy_by_tar() {
    tar -C "$1" --no-recursion --verbatim-files-from --files-from="$2.names" -cf - |
        tar -C "$2" --no-same-owner --no-same-permissions --no-overwrite-dir -xf -
}

# list_names LIST: the names in it; fails on a line that is not a sum and a plain name in the bundle.
list_names() {
    [ "$(tr -dc '\0' <"$1" | wc -c)" -eq 0 ] && LC_ALL=C awk '
        !/^[0-9a-f]+  \.\/[A-Za-z0-9_][A-Za-z0-9_.+@,=~!%-]*(\/[A-Za-z0-9_.][A-Za-z0-9_.+@,=~!%-]*)*$/ { exit wrong = 1 }
        length($1) != 64 || $2 ~ /\/\.\.?(\/|$)/ || length($2) > 1000 || seen[$2]++ { exit wrong = 1 }
        $2 ~ /^\.\/SHA256SUMS(\.sig)?$/ { exit wrong = 1 }
        { print $2 }
        END { exit wrong }' "$1"
}

# check_room FROM NAMES: before anything is copied, as a listed file may be of any size.
check_room() {
    local need_mb free_mb
    need_mb=$(cd "$1" && tr '\n' '\0' <"$2" | xargs -0 stat -c %s 2>/dev/null | awk '{ sum += $1 } END { print int(sum / 1e6) + 1 }') || true
    free_mb=$(df -Pm "$WORK" | awk 'NR == 2 { print $4 }')
    [ "${need_mb:-0}" -le "$NEEDED_MB" ] ||
        die "The files of this bundle take $need_mb MB, which is more than any bundle has; copy it again."
    [ "${need_mb:-0}" -le "$free_mb" ] ||
        die "There is no room on the disk: the files of the bundle take $need_mb MB and $WORK has $free_mb MB left; make room and run it again."
}

# check_sums COPY
check_sums() {
    (cd "$1" && logged sha256sum --check --quiet --strict SHA256SUMS) ||
        die_with_log "The bundle is damaged; copy it again."
}

# check_signature COPY: that the list is signed by a key that was given, now or once before.
check_signature() {
    local key=$KEPT_KEY otherwise fault
    otherwise="or take it as it is with --unsigned, if you know where it comes from"
    if [ -n "$BUNDLE_KEY" ]; then
        key=$BUNDLE_KEY
    fi
    if [ ! -f "$1/SHA256SUMS.sig" ]; then
        fault="it is not signed"
    elif [ ! -f "$key" ]; then
        fault="no key is known"
        otherwise="give the public key of whoever signed it with --key, $otherwise"
    else
        command -v ssh-keygen >/dev/null ||
            die "There is no ssh-keygen here to check the bundle's signature; install it with: sudo apt-get install openssh-client"
        (umask 077 && { printf '%s namespaces="%s" ' "$SIGNER" "$NAMESPACE" && first_key "$key"; } >"$1.signers")
        if logged verify_signature "$1"; then
            SIGNED="signed by $(ssh-keygen -l -f "$key" | cut -d ' ' -f 2)"
            rm -f "$1.signers"
            keep_key "$key"
            return
        fi
        rm -f "$1.signers"
        fault="it is damaged, or signed by another key than $key"
    fi
    if [ "$UNSIGNED" = yes ]; then
        SIGNED="not by a known key: $fault"
        return
    fi
    case $otherwise in give*) ;; *) otherwise="get a signed one, $otherwise" ;; esac
    die "Nobody vouches for this bundle: $fault; $otherwise."
}

verify_signature() {
    ssh-keygen -Y verify -f "$1.signers" -I "$SIGNER" -n "$NAMESPACE" -s "$1/SHA256SUMS.sig" <"$1/SHA256SUMS"
}

# keep_key KEY: for the bundles to come.
keep_key() {
    if ! cmp -s "$1" "$KEPT_KEY"; then put "$1" "$KEPT_KEY"; fi
}

# use_bundle: take everything from the checked copy of a bundle that this is, if it is one.
use_bundle() {
    [ -f "$CHECKOUT/bundle.txt" ] || return 0
    step "Bundle"
    BUNDLE_PYTHON=$(bundled python)
    [ "$(bundled arch)" = "$(uname -m)" ] ||
        die "This bundle is for $(bundled arch) and here is $(uname -m); make one with: ./setup.sh bundle --arch $(uname -m) --python $BUNDLE_PYTHON"
    if [ "$DRY_RUN" = no ]; then
        export PIP_NO_INDEX=1 PIP_FIND_LINKS="file://${WHEELS// /%20}"
        if [ -d "$DEBS" ]; then use_debs; fi
    fi
    finish "Python $BUNDLE_PYTHON, $(find "$WHEELS" "$COMPILED" -type f 2>/dev/null | wc -l) packages"
}
