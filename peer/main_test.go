// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	switch os.Getenv("SHOAL_TEST_CHILD") {
	case "download":
		downloadUntilKilled()
		return
	case "seed":
		seedUntilTold()
		return
	}
	goleak.VerifyTestMain(m, leakOptions()...)
}

// leakOptions name the goroutines that libraries start once and never end.
func leakOptions() []goleak.Option {
	return []goleak.Option{
		goleak.IgnoreTopFunction("github.com/anacrolix/go-libutp.(*utpContext).timeoutChecker"),
	}
}
