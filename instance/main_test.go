// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// The µTP library starts this one once and never ends it.
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("github.com/anacrolix/go-libutp.(*utpContext).timeoutChecker"),
		// The search library starts its workers when the program does.
		goleak.IgnoreTopFunction("github.com/blevesearch/bleve_index_api.AnalysisWorker"))
}
