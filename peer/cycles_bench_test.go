// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build bench

package peer

import (
	"testing"
	"time"

	"shoal/peer/testpeer"
)

// BenchmarkCycles runs 10,000 cycles of join, transfer, cut connection, reconnect and leave, over TCP and
// WebRTC, with the npm package's tracker and a seeding process. It fails where memory, goroutines,
// sockets or files are not flat: see holding.grown for the margins.
func BenchmarkCycles(b *testing.B) {
	const warmUp, cycles = 1000, 10_000
	c := newCycler(b, testpeer.NPMTracker(b))
	begin := time.Now()
	here, child := c.flat(warmUp, cycles)
	b.ReportMetric((warmUp+cycles)/time.Since(begin).Seconds(), "cycles/s")
	b.ReportMetric(float64(here.RSS)/1e6, "RSS-MB")
	b.ReportMetric(float64(child.RSS)/1e6, "seeder-RSS-MB")
	b.ReportMetric(float64(here.Goroutines), "goroutines")
	b.ReportMetric(float64(here.Files), "files")
	b.ReportMetric(0, "ns/op")
}
