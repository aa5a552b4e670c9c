// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anacrolix/torrent/bencode"
	"github.com/anacrolix/torrent/metainfo"
	"golang.org/x/time/rate"
)

const testPatience = 60 * time.Second

// fixture is a file with its torrent.
type fixture struct {
	path string
	data []byte
	mi   *metainfo.MetaInfo
	hash metainfo.Hash
}

func newFixture(tb testing.TB, size int, pieceLength int64) *fixture {
	tb.Helper()
	f := &fixture{data: make([]byte, size), path: filepath.Join(tb.TempDir(), "film.mp4")}
	src := rand.NewChaCha8([32]byte{byte(size), byte(size >> 8), byte(size >> 16), 7})
	if _, err := src.Read(f.data); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(f.path, f.data, 0o644); err != nil {
		tb.Fatal(err)
	}
	info := metainfo.Info{Name: "film.mp4", Length: int64(size), PieceLength: pieceLength}
	pieces, err := metainfo.GeneratePieces(bytes.NewReader(f.data), pieceLength, nil)
	if err != nil {
		tb.Fatal(err)
	}
	info.Pieces = pieces
	encoded, err := bencode.Marshal(info)
	if err != nil {
		tb.Fatal(err)
	}
	f.mi = &metainfo.MetaInfo{InfoBytes: encoded}
	f.hash = f.mi.HashInfoBytes()
	return f
}

func (f *fixture) target() Target {
	return Target{Infohash: f.hash, Name: "film", MetaInfo: f.mi}
}

func testLogger(tb testing.TB) *slog.Logger {
	if os.Getenv("SHOAL_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(tb.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// newEngine starts an engine on loopback that is closed with the test.
func newEngine(tb testing.TB, config Config) *Engine {
	tb.Helper()
	if config.Dir == "" {
		config.Dir = tb.TempDir()
	}
	if config.PiecesDB == "" {
		config.PiecesDB = filepath.Join(tb.TempDir(), "pieces.db")
	}
	if config.ListenHost == "" {
		config.ListenHost = "127.0.0.1"
	}
	config.Logger = testLogger(tb)
	config.WebRTC.Loopback = true
	e, err := New(config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
	})
	return e
}

func (e *Engine) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(e.Port())) }

// seeder is an engine that seeds the fixture in place.
func newSeeder(tb testing.TB, f *fixture, config Config) *Engine {
	tb.Helper()
	e := newEngine(tb, config)
	s, err := e.Seed(tb.Context(), SeedFile{MetaInfo: f.mi, Path: f.path})
	if err != nil {
		tb.Fatal(err)
	}
	if st := s.Stats(); !eventually(func() bool { return s.Stats().Complete }) {
		tb.Fatalf("seeder is not complete: %+v", st)
	}
	return e
}

func join(tb testing.TB, e *Engine, t Target, o JoinOptions) *Swarm {
	tb.Helper()
	s, err := e.Join(tb.Context(), t, o)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func eventually(ok func() bool) bool {
	for deadline := time.Now().Add(testPatience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return true
		}
	}
	return ok()
}

func waitUntil(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	if !eventually(ok) {
		tb.Fatalf("waited too long for: %s", what)
	}
}

func waitComplete(tb testing.TB, s *Swarm) {
	tb.Helper()
	if !eventually(func() bool { return s.Stats().Complete }) {
		tb.Fatalf("not complete: %+v", s.Stats())
	}
}

func checkFile(tb testing.TB, s *Swarm, f *fixture) {
	tb.Helper()
	got, err := os.ReadFile(s.FilePath(0))
	if err != nil {
		tb.Fatal(err)
	}
	if sha256.Sum256(got) != sha256.Sum256(f.data) {
		tb.Fatal("the file differs from the original")
	}
}

func openStream(tb testing.TB, s *Swarm) *Stream {
	tb.Helper()
	st, err := s.Stream(tb.Context(), 0)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = st.Close() })
	return st
}

// webSeed serves a fixture over HTTP and counts what it sends.
type webSeed struct {
	*httptest.Server
	sent     atomic.Int64
	requests atomic.Int64
	broken   atomic.Bool   // answers 500
	corrupt  atomic.Bool   // sends wrong bytes
	limit    *rate.Limiter // nil: none
}

func newWebSeed(tb testing.TB, f *fixture, bytesPerSecond int) *webSeed {
	tb.Helper()
	w := &webSeed{}
	if bytesPerSecond > 0 {
		w.limit = rate.NewLimiter(rate.Limit(bytesPerSecond), 64<<10)
	}
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.requests.Add(1)
		if w.broken.Load() {
			http.Error(rw, "broken", http.StatusInternalServerError)
			return
		}
		data := f.data
		if w.corrupt.Load() {
			data = bytes.Repeat([]byte{0xAA}, len(data))
		}
		http.ServeContent(&countingWriter{ResponseWriter: rw, w: w, ctx: r.Context()}, r, "film.mp4", time.Unix(1, 0), bytes.NewReader(data))
	}))
	tb.Cleanup(w.Close)
	return w
}

func (w *webSeed) url() string { return w.URL + "/film.mp4" }

type countingWriter struct {
	http.ResponseWriter
	w   *webSeed
	ctx context.Context
}

func (c *countingWriter) Write(b []byte) (n int, err error) {
	for len(b) > 0 {
		part := b[:min(len(b), 16<<10)]
		if c.w.limit != nil {
			if err := c.w.limit.WaitN(c.ctx, len(part)); err != nil {
				return n, err
			}
		}
		m, err := c.ResponseWriter.Write(part)
		n += m
		c.w.sent.Add(int64(m))
		if err != nil {
			return n, err
		}
		b = b[m:]
	}
	return n, nil
}

func readFull(tb testing.TB, st *Stream, at int64, n int, f *fixture) {
	tb.Helper()
	if _, err := st.Seek(at, io.SeekStart); err != nil {
		tb.Fatal(err)
	}
	got := make([]byte, n)
	if m, err := io.ReadFull(st, got); err != nil {
		tb.Fatalf("reading at %d: %d bytes, %v; %+v", at, m, err, st.swarm.Stats())
	}
	if !bytes.Equal(got, f.data[at:at+int64(n)]) {
		tb.Fatalf("bytes at %d differ", at)
	}
}
