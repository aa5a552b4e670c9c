#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# Installs the npm packages that the end-to-end tests talk to, as package-lock.json names them, into
# $SHOAL_NPM_DIR (default: .build/npm of the repository). Quick when they are there already.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
dir=${SHOAL_NPM_DIR:-$here/../../.build/npm}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)

stamp=$(cat "$here/package.json" "$here/package-lock.json" "$here"/webrtc-polyfill/* | cksum)
if [ -f "$dir/.installed" ] && [ "$(cat "$dir/.installed")" = "$stamp" ]; then
	exit 0
fi
command -v npm >/dev/null || {
	echo "npm is missing: install Node.js 22 or later with npm" >&2
	exit 1
}
rm -rf "$dir/.installed" "$dir/webrtc-polyfill"
cp "$here/package.json" "$here/package-lock.json" "$dir/"
cp -R "$here/webrtc-polyfill" "$dir/"
cd "$dir"
# An attempt that a registry cut short is worth a second one.
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error ||
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
printf '%s\n' "$stamp" >.installed
