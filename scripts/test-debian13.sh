#!/usr/bin/env bash
# `make test-debian13`: builds Shoal on Debian 13, runs the demo and all tests there. With arguments it runs these there
# instead: scripts/test-debian13.sh swift test -c release -Xswiftc -enable-testing --filter CommTests
#
# Debian 13 lies in a folder that is kept for the next time, SHOAL_DEBIAN13_ROOT or .build-debian13: root/ is the system,
# build/ and outputs/ stand in for those of this checkout, so that neither system touches what the other built. The Swift
# toolchain is this machine's; SHOAL_DEBIAN13_SWIFT names another one's folder, in which usr/bin/swift lies.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    echo "test-debian13: $*" >&2
    exit 1
}

PATH=$PATH:/usr/sbin:/sbin # which a shell of su may lack
if (( $(id -u) != 0 )) || ! command -v debootstrap >/dev/null; then
    fail "needs root and debootstrap, to make a Debian 13 in a folder and to enter it (as root: apt-get install debootstrap)"
fi
# All that is mounted below vanishes with this process.
if [[ ! ${SHOAL_DEBIAN13_PRIVATE:-} ]]; then
    SHOAL_DEBIAN13_PRIVATE=1 exec unshare --mount -- scripts/test-debian13.sh "$@"
fi

checkout=$PWD
cache=$(realpath --canonicalize-missing "${SHOAL_DEBIAN13_ROOT:-.build-debian13}")
root=$cache/root

toolchain=${SHOAL_DEBIAN13_SWIFT:-}
if [[ ! $toolchain ]]; then
    command -v swift >/dev/null || fail "no swift in PATH; SHOAL_DEBIAN13_SWIFT can name the folder in which usr/bin/swift lies"
    # Asked of the compiler, because swift may be a link, or a program that chooses between toolchains.
    resources=$(swift -print-target-info | sed -n 's/^ *"runtimeResourcePath": "\(.*\)",\{0,1\}$/\1/p')
    toolchain=${resources%/usr/lib/swift}
fi
[[ $toolchain && -x $toolchain/usr/bin/swift ]] ||
    fail "SHOAL_DEBIAN13_SWIFT must name a folder that holds one Swift toolchain, in usr/; \"$toolchain\" does not"

# What the toolchain needs: its own libraries, a C library to compile against, and a linker.
packages=(
    ca-certificates git make pkg-config tzdata
    binutils g++ libc6-dev
    libcurl4t64 libncurses6 libsqlite3-0 libuuid1 libxml2 zlib1g
)

mount_over() { # WHAT WHERE [OPTIONS]: WHERE is made when it is missing
    mkdir -p "$2"
    mount --bind "$1" "$2"
    [[ ! ${3:-} ]] || mount -o "remount,bind,$3" "$2"
}

in_root() { # SYSTEM FOLDER COMMAND...: sees of this process's environment what names neither its user nor its files
    local system=$1 folder=$2 name
    shift 2
    local environment=(HOME=/root LANG=C.UTF-8 PATH=/opt/swift/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin)
    environment+=(OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1)
    for name in $(compgen -e | grep -E '^(TERM|COLUMNS|NO_COLOR|(OMP|OPENBLAS|ONEDNN|DNNL|SHOAL|DEBIAN)_.*|.*_proxy)$'); do
        environment+=("$name=${!name}")
    done
    chroot "$system" /usr/bin/env --ignore-environment --chdir="$folder" "${environment[@]}" "$@"
}

prepare() { # SYSTEM
    cp --dereference /etc/resolv.conf /etc/hosts "$1/etc/"
    mount -t proc proc "$1/proc"
    mount --rbind /sys "$1/sys"
    mount --rbind /dev "$1/dev"
}

if [[ ! -d $root ]]; then
    echo "test-debian13: making a Debian 13 in $root" >&2
    # Not under its name before it is whole: what an interrupted start left is made anew.
    rm -rf --one-file-system "$cache/unfinished"
    mkdir -p "$cache"
    # This system's own mirror, where it is a Debian; else debootstrap's.
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' 2>/dev/null | sort -u) || true
    debootstrap --variant=minbase trixie "$cache/unfinished" ${mirror:+"${mirror%%$'\n'*}"}
    prepare "$cache/unfinished"
    in_root "$cache/unfinished" / DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends -qq "${packages[@]}"
    umount --recursive "$cache/unfinished"/{proc,sys,dev}
    mv "$cache/unfinished" "$root"
fi

prepare "$root"
mount_over "$toolchain" "$root/opt/swift" ro
mount_over "$checkout" "$root/shoal"
mkdir -p "$cache"/{build,outputs}
mount_over "$cache/build" "$root/shoal/.build"
mount_over "$cache/outputs" "$root/shoal/outputs"
if [[ ${SHOAL_TEST_DATA:-} ]]; then
    mount_over "$SHOAL_TEST_DATA" "$root/test-data" ro
    export SHOAL_TEST_DATA=/test-data
fi

# Where this machine's git finds packages elsewhere than their addresses say, so does git there, to which the checkout
# may belong to a stranger.
gitconfig=$root/etc/gitconfig
printf '[safe]\n\tdirectory = *\n' >"$gitconfig"
while IFS= read -r -d '' entry; do
    key=${entry%%$'\n'*}
    git config --file "$gitconfig" --add "$key" "${entry#*$'\n'}"
    copies=${key#url.}
    copies=${copies%.*}
    copies=${copies#file://}
    [[ $copies != /* || ! -d $copies ]] || mountpoint --quiet "$root$copies" || mount_over "$copies" "$root$copies" ro
done < <(git config --null --get-regexp '^url\..*\.insteadof$')

(( $# )) || set -- make demo test
in_root "$root" /shoal "$@"
