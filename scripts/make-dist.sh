#!/usr/bin/env bash
# `make dist`: an archive for a cluster whose hosts have no Swift. The Swift runtime is linked into the program; the C
# libraries stay shared, and LIBRARIES.txt names them with the Debian packages that bring them.
# SHOAL_CPU names the processor that every host must have at least (clang's -march).
set -euo pipefail
cd "$(dirname "$0")/.."

export SHOAL_CPU=${SHOAL_CPU:-x86-64-v3}
# A folder of its own: another processor and another runtime, so nothing of .build/release would be kept.
scratch=.build/dist
swift build -c release --scratch-path "$scratch" --static-swift-stdlib --product shoal

name="shoal-$(uname -s | tr '[:upper:]' '[:lower:]')-$SHOAL_CPU"
folder="dist/$name"
rm -rf "$folder"
mkdir -p "$folder"
install -m 755 "$scratch/release/shoal" "$folder/shoal"
strip --strip-debug "$folder/shoal"
cp -r README.md CHANGELOG.md docs project_config.yaml hostfiles examples "$folder/"

# The package that owns a library. dpkg knows some files by /lib and some by /usr/lib, and links by their targets.
owner() {
    local path candidate
    for path in "$1" "$(readlink -f "$1")"; do
        for candidate in "$path" "/usr$path" "${path#/usr}"; do
            dpkg-query --search "$candidate" 2>/dev/null | head -n 1 | cut -d: -f1 | grep . && return
        done
    done
    echo "(no package)"
}

# Only what the program itself asks for has to be named; apt brings what those need in turn.
libraries=$(ldd "$folder/shoal" | awk '$2 == "=>" && $3 ~ /^\// { print $1, $3 }')
direct=$(readelf --dynamic "$folder/shoal" | awk '/\(NEEDED\)/ { gsub(/[][]/, "", $NF); print $NF }')
{
    echo "Shared libraries that a compute node must have, as found on $(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release)."
    echo "The processor must have what $SHOAL_CPU names."
    echo
    packages=()
    while read -r library path; do
        package=$(owner "$path")
        grep -qxF "$library" <<<"$direct" && mark="*" || mark=" "
        [[ $mark == "*" && $package != "(no package)" ]] && packages+=("$package")
        printf '%s %-28s %s\n' "$mark" "$library" "$package"
    done <<<"$libraries"
    echo
    echo "* asked for by shoal itself; the others come with those. openmpi-bin has mpirun and its daemon. On Debian:"
    echo "  apt-get install --no-install-recommends openmpi-bin $(printf '%s\n' "${packages[@]}" | sort -u | paste -sd ' ')"
} >"$folder/LIBRARIES.txt"

tar -czf "dist/$name.tar.gz" -C dist "$name"
cat "$folder/LIBRARIES.txt"
echo
echo "dist/$name.tar.gz ($(du -h "dist/$name.tar.gz" | cut -f1))"
