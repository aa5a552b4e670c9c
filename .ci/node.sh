#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Makes sure of a Node.js that is new enough for the test peers, with an npm.
# Debian 12's is too old: then Node.js 22 and npm come from the npm registry into
# .build/node/bin, which the Makefile puts first on the PATH.
set -euo pipefail
cd "$(dirname "$0")/.."

oldest=22
major() { "$1" -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0; }

if [ "$(major node)" -ge $oldest ] && command -v npm >/dev/null; then
    exit 0
fi
case $(uname -m) in
x86_64) platform=linux-x64 ;;
aarch64) platform=linux-arm64 ;;
*)
    echo "The tests take Node.js $oldest or later, with npm: install it and run make again." >&2
    exit 1
    ;;
esac
echo "Node.js on this machine is older than $oldest: fetching version 22 into .build/node"
mkdir -p .build/node/bin
npm install --prefix .build/node --ignore-scripts --no-audit --no-fund --no-save --loglevel=error \
    "node-$platform@22" npm@10
ln -sf "../node_modules/node-$platform/bin/node" .build/node/bin/node
ln -sf ../node_modules/npm/bin/npm-cli.js .build/node/bin/npm
[ "$(major .build/node/bin/node)" -ge $oldest ]
