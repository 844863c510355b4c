#!/usr/bin/env bash
# Installs the Debian packages that building and running Shoal needs, when any is missing: as root, or with a sudo
# that asks for no password. Otherwise prints the line to run and stops with status 1.
set -euo pipefail

# git and ca-certificates: SwiftPM fetches swift-argument-parser. pkg-config: finds the others' headers and libraries.
packages=(
    git ca-certificates pkg-config
    libopenmpi-dev openmpi-bin
    libopenblas-dev libdnnl-dev
    libyaml-dev libssl-dev zlib1g-dev libzstd-dev
    libjpeg-dev libpng-dev libwebp-dev
)

if ! command -v dpkg-query >/dev/null; then
    echo "install-packages: no dpkg here; make sure that this system has what Debian calls: ${packages[*]}" >&2
    exit 0
fi

missing=()
for package in "${packages[@]}"; do
    status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    [[ $status == installed ]] || missing+=("$package")
done
(( ${#missing[@]} )) || exit 0

if (( $(id -u) == 0 )); then
    as_root=(env)
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo -n env)
else
    echo "install-packages: packages are missing and this user cannot install them; run this, then try again:" >&2
    echo "    sudo apt-get update && sudo apt-get install --yes --no-install-recommends ${missing[*]}" >&2
    exit 1
fi

echo "install-packages: installing ${missing[*]}" >&2
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends -qq "${missing[@]}"
