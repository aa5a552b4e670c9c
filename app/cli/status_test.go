// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"shoal/app/core"
)

func TestStatusTellsWhatTheDiskHasTold(t *testing.T) {
	now := time.Now()
	for _, x := range []struct {
		disk core.Disk
		want string
	}{
		{core.Disk{Used: -1}, "how much is on disk is not known yet"},
		{core.Disk{Used: 2e9, Measured: now.Add(-5 * time.Second)}, "2.0 GB on disk"},
		{core.Disk{Used: 2e9, Measured: now.Add(-200 * time.Second)}, "2.0 GB on disk 3m ago: it is slow to answer"},
		{core.Disk{}, human(0) + " on disk"},
	} {
		if got := diskWords(x.disk, now); got != x.want {
			t.Errorf("%+v: got %q", x.disk, got)
		}
	}
	var text bytes.Buffer
	printStatus(&output{stdout: &text}, status{Disk: core.Disk{Problem: "Deleting frees no space."}})
	if !strings.Contains(text.String(), "Deleting frees no space.\n") {
		t.Errorf("the problem is not told: %q", text.String())
	}
}
