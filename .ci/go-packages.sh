#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Prints this module's packages of one kind, a line each:
#
#   plain  all that link no Fyne          fyne   those that do
#   e2e    with end-to-end tests          bench  with benchmarks
#   fuzz   "package FuzzName" pairs
#
# Nothing of that kind is an error: a suite that finds no test must not pass.
set -euo pipefail
cd "$(dirname "$0")/.."

by_fyne() {
    go list -f '{{.ImportPath}} {{join .Deps " "}}' ./... |
        awk -v want="$1" '{ has = / fyne\.io\// ? "fyne" : "plain"; if (has == want) print $1 }'
}

# Folders of the Go files that match a pattern; nested modules left out.
folders_with() {
    grep -rlE --include='*_test.go' --exclude-dir=node_modules --exclude-dir=vendor "$1" app player peer instance assets 2>/dev/null |
        grep -v '^peer/utp/' | xargs -r -n 1 dirname | sort -u | sed 's|^|./|'
}

case ${1:-} in
plain | fyne) found=$(by_fyne "$1") ;;
e2e | bench) found=$(folders_with "^//go:build .*\b$1\b" || true) ;;
fuzz)
    found=$(for folder in $(folders_with '^func Fuzz[A-Z]'); do
        sed -n "s|^func \(Fuzz[A-Za-z0-9_]*\)(.*|$folder \1|p" "$folder"/*_test.go
    done)
    ;;
*)
    echo "go-packages.sh: plain, fyne, e2e, bench or fuzz" >&2
    exit 2
    ;;
esac
[ -n "$found" ] || {
    echo "go-packages.sh: no package of the kind '$1'" >&2
    exit 1
}
printf '%s\n' "$found"
