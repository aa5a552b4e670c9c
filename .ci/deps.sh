#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Makes sure that the system packages of the named sets are there:
#
#   .ci/deps.sh build run test bench windows lint
#
# On Debian and its relatives what is missing is installed by apt-get, as root
# or through a sudo that asks for no password. Where neither is to be had, it
# prints the command to run and stops. Nothing missing: it asks apt-get for
# nothing. SHOAL_SKIP_DEPS=1 turns it off.
set -euo pipefail

[ "${SHOAL_SKIP_DEPS:-}" != 1 ] || exit 0

if ! command -v go >/dev/null; then
    echo "Go is missing: install Go 1.26 or later from https://go.dev/dl/ and put its bin folder on the PATH, then run make again." >&2
    exit 1
fi

packages=()
for set in "$@"; do
    case $set in
    build) packages+=(gcc g++ git pkg-config libgl1-mesa-dev xorg-dev libxkbcommon-dev) ;;
    run) packages+=(ca-certificates libgl1-mesa-dri libmpv2 ffmpeg) ;;
    test) packages+=(aria2 chromium ffmpeg imagemagick iproute2 iptables libgl1-mesa-dri libmpv2 mktorrent openbox xdotool xvfb) ;;
    bench) packages+=(mktorrent mpv nginx transmission-daemon wrk) ;;
    windows) packages+=(gcc-mingw-w64-x86-64 g++-mingw-w64-x86-64) ;;
    lint) packages+=(appstream desktop-file-utils) ;;
    *)
        echo "deps.sh: unknown set '$set' (build, run, test, bench, windows, lint)" >&2
        exit 2
        ;;
    esac
    # Node.js often comes from elsewhere than Debian: what is on the PATH does.
    if [ "$set" = test ]; then
        command -v node >/dev/null || packages+=(nodejs)
        command -v npm >/dev/null || packages+=(npm)
    fi
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "This system has no apt-get: Shoal needs what these Debian packages hold, going on without a check:" >&2
    printf '  %s\n' "${packages[*]}" >&2
    exit 0
fi

missing=()
for package in "${packages[@]}"; do
    status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        as_root=(sudo -n)
    else
        echo "Shoal needs system packages that are not installed. Install them, then run make again:" >&2
        echo "  sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}" >&2
        exit 1
    fi
fi

echo "Installing system packages: ${missing[*]}"
apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q \
        -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 "$@" </dev/null
}
apt update
apt install -y --no-install-recommends "${missing[@]}"
