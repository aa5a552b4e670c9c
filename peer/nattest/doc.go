// SPDX-License-Identifier: AGPL-3.0-or-later

// Package nattest tests the engine in network namespaces: peers behind routers of their own, and a
// machine with more than one interface. Its tests carry the build tag e2e; they need Linux, root,
// iproute2 and iptables-legacy, and fail where one is missing. Nobody imports it.
package nattest
