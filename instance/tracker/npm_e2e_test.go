// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e

package tracker

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"shoal/peer/testpeer"
)

// npmCases is how many cases announce.mjs has.
const npmCases = 34

// TestNPMClient lets the npm package's client do against this tracker what that package's own tests
// have it do against its server, over HTTP, HTTP over IPv6 and WebSocket.
func TestNPMClient(t *testing.T) {
	tr, base := serve(t, Config{})
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Fatalf("this machine has no IPv6 loopback: %v", err)
	}
	v6 := httptest.NewUnstartedServer(handlers(tr))
	v6.Listener.Close()
	v6.Listener = l
	v6.Start()
	defer v6.Close()
	cases := testpeer.Announce(t, base+"/tracker/announce", v6.URL+"/tracker/announce",
		"ws"+strings.TrimPrefix(base, "http")+"/tracker/socket", strings.Repeat("aa", 20))
	if len(cases) != npmCases {
		t.Errorf("%d cases ran, want %d", len(cases), npmCases)
	}
	for _, c := range cases {
		if !c.OK {
			t.Errorf("%s: %s", c.Name, c.Message)
		} else {
			t.Logf("%s: passed", c.Name)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	eventually(t, "every peer has left", func() bool { return tr.Conns() == 0 && held(tr) == 0 })
}
