// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build bench

package desktop

import "testing"

// BenchmarkThousandRows brings a list of a thousand videos up to date, all figures changed, as the
// window does each second.
func BenchmarkThousandRows(b *testing.B) {
	r := newRig(b)
	r.w.goTo(placeCoSeeding)
	r.w.coSeeding.held.sorted.SetSelectedIndex(int(orderGoes)) // the dearest
	a, z := manySwarms(1), manySwarms(2)
	r.w.showSwarms(z)
	b.ResetTimer()
	for range b.N {
		r.w.showSwarms(a)
		r.w.showSwarms(z)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(2*b.N), "µs/update")
}
