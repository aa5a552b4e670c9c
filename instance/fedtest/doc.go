// SPDX-License-Identifier: AGPL-3.0-or-later

// Package fedtest runs other people's ActivityPub programs for end-to-end tests: a small instance on
// the npm package Fedify, which shares no code with Shoal. Only test code imports it, under the build
// tag e2e.
//
// A part that is missing fails the test; nothing is skipped. peer/testpeer/install.sh installs the npm
// packages.
package fedtest
