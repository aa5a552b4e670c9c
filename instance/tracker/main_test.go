// SPDX-License-Identifier: AGPL-3.0-or-later

package tracker

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// childEnv makes the test program a tracker: a process of its own, to be measured.
const childEnv = "SHOAL_TEST_TRACKER"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		if err := child(); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// child serves on a free port, says where, and ends with its standard input.
func child() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	tr := New(Config{Known: func(Hash) bool { return true }, MaxPerIP: -1, MaxHTTPPerIP: -1})
	srv := &http.Server{Handler: handlers(tr)}
	go func() { _ = srv.Serve(l) }()
	if _, err := fmt.Printf("http://%s\n", l.Addr()); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	return srv.Close()
}

// handlers are a tracker's paths, as an instance has them.
func handlers(tr *Tracker) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/tracker/socket", tr.Socket)
	mux.HandleFunc("/tracker/announce", tr.Announce)
	mux.HandleFunc("/tracker/scrape", tr.Scrape)
	return mux
}
