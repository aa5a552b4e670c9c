// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"testing"
	"time"

	"shoal/instance"
)

func TestProgressIsThinnedOut(t *testing.T) {
	var pace pacer
	now, told, last := time.Now(), 0, instance.Progress{}
	for _, stage := range []string{"copy", "hash"} {
		for done := range int64(1001) {
			now = now.Add(time.Millisecond)
			if p := (instance.Progress{Stage: stage, Done: done, Total: 1000}); pace.due(p, now) {
				told, last = told+1, p
				continue
			}
			if done == 0 || done == 1000 {
				t.Errorf("%s: %d of 1000 was not told", stage, done)
			}
		}
	}
	if told < 10 || told > 14 || last.Done != 1000 {
		t.Errorf("%d told, the last one %+v", told, last)
	}
}
