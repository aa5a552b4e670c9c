// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/anacrolix/torrent/metainfo"
)

// downloadUntilKilled is the child of TestKilledInMidDownload: it downloads, and says after each
// step how much is verified.
func downloadUntilKilled() {
	check := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	dir := os.Getenv("SHOAL_TEST_DIR")
	mi, err := metainfo.LoadFromFile(filepath.Join(dir, "film.torrent"))
	check(err)
	e, err := New(Config{
		Dir: filepath.Join(dir, "files"), PiecesDB: filepath.Join(dir, "pieces.db"),
		ListenHost: "127.0.0.1", Sources: Sources{SourceWebSeed},
	})
	check(err)
	s, err := e.Join(context.Background(), Target{MetaInfo: mi, WebSeeds: []string{os.Getenv("SHOAL_TEST_WEBSEED")}}, JoinOptions{})
	check(err)
	s.Download()
	for last := int64(-1); ; time.Sleep(time.Millisecond) {
		if n := s.Stats().Completed; n != last {
			last = n
			fmt.Println(n)
		}
	}
}

// TestKilledInMidDownload kills a downloading process with SIGKILL: what it said was verified is
// neither hashed nor fetched again.
func TestKilledInMidDownload(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Log("there is no SIGKILL on Windows; TerminateProcess does the same to a child")
	}
	const pieceLength = 128 << 10
	f := newFixture(t, 24*mib, pieceLength)
	w := newWebSeed(t, f, 12*mib)
	dir := t.TempDir()
	out, err := os.Create(filepath.Join(dir, "film.torrent"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.mi.Write(out); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	var verified int64
	for round := range 3 {
		verified = max(verified, killedDownload(t, dir, w.url(), int64(round+1)*5*mib))
	}

	w.limit.SetLimit(1 << 30)
	e := newEngine(t, Config{
		Dir: filepath.Join(dir, "files"), PiecesDB: filepath.Join(dir, "pieces.db"), Sources: Sources{SourceWebSeed},
	})
	target := f.target()
	target.WebSeeds = []string{w.url()}
	s := join(t, e, target, JoinOptions{})
	kept := s.Stats().Completed
	if kept < verified {
		t.Fatalf("%d bytes were verified before the kill, %d are known after it", verified, kept)
	}
	waitUntil(t, "the swarm to settle", func() bool {
		select {
		case <-s.settled:
			return true
		default:
			return false
		}
	})
	stats := s.loaded().Stats()
	if n := stats.BytesHashed.Int64(); n != 0 {
		t.Fatalf("%d bytes were hashed again", n)
	}
	s.Download()
	waitComplete(t, s)
	checkFile(t, s, f)
	if got := s.Stats().Downloaded; got != (Bytes{WebSeed: int64(len(f.data)) - kept}) {
		t.Fatalf("fetched %+v, with %d of %d there", got, kept, len(f.data))
	}
}

// killedDownload runs the child until it has verified enough, kills it, and returns what it said.
func killedDownload(t *testing.T, dir, webSeed string, enough int64) (verified int64) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "SHOAL_TEST_CHILD=download", "SHOAL_TEST_DIR="+dir, "SHOAL_TEST_WEBSEED="+webSeed)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		n, err := strconv.ParseInt(strings.TrimSpace(lines.Text()), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		verified = n
		if n >= enough {
			break
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	if verified < enough {
		t.Fatalf("the child ended with %d bytes", verified)
	}
	return verified
}
