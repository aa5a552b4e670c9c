// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"os"
	"testing"
	"time"
)

// downloaded is a fixture that was fetched, by an engine that is closed again.
type downloaded struct {
	*fixture
	w      *webSeed
	config Config
	path   string
}

func download(t *testing.T) *downloaded {
	t.Helper()
	d := &downloaded{fixture: newFixture(t, 6*mib, 256<<10)}
	d.w = newWebSeed(t, d.fixture, 0)
	d.config = Config{Dir: t.TempDir(), PiecesDB: t.TempDir() + "/pieces.db", Sources: Sources{SourceWebSeed}}
	e, s := d.open(t)
	s.Download()
	waitComplete(t, s)
	d.path = s.FilePath(0)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *downloaded) open(t *testing.T) (*Engine, *Swarm) {
	t.Helper()
	e := newEngine(t, d.config)
	target := d.target()
	target.WebSeeds = []string{d.w.url()}
	return e, join(t, e, target, JoinOptions{})
}

// hashedBytes is what the client has hashed. It does not know a swarm that rests from the start.
func (s *Swarm) hashedBytes() int64 {
	t := s.loaded()
	if t == nil {
		return 0
	}
	stats := t.Stats()
	return stats.BytesHashed.Int64()
}

func TestResumeHashesNothing(t *testing.T) {
	d := download(t)
	_, s := d.open(t)
	if got := s.Stats(); !got.Complete {
		t.Fatalf("%+v", got)
	}
	<-s.settled
	if n := s.hashedBytes(); n != 0 {
		t.Fatalf("hashed %d bytes", n)
	}
	if err := s.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := s.hashedBytes(); n != int64(len(d.data)) {
		t.Fatalf("Verify hashed %d bytes", n)
	}
	if got := s.Stats(); !got.Complete || got.Downloaded.Sum() != 0 || got.Wasted != 0 {
		t.Fatalf("%+v", got)
	}
}

// TestLostPiecesDB deletes or damages pieces.db: it is made anew, and the data on disk is hashed,
// not fetched.
func TestLostPiecesDB(t *testing.T) {
	for name, harm := range map[string]func(path string) error{
		"deleted": os.Remove,
		"garbage": func(p string) error { return os.WriteFile(p, []byte("this is no database at all"), 0o600) },
		"empty":   func(p string) error { return os.WriteFile(p, nil, 0o600) },
		"zeroed pages": func(p string) error {
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			clear(b[8192:])
			return os.WriteFile(p, b, 0o600)
		},
		"truncated": func(p string) error { return os.Truncate(p, 9000) },
	} {
		t.Run(name, func(t *testing.T) {
			d := download(t)
			if err := harm(d.config.PiecesDB); err != nil {
				t.Fatal(err)
			}
			sent := d.w.sent.Load()
			_, s := d.open(t)
			waitComplete(t, s)
			if d.w.sent.Load() != sent {
				t.Fatal("data was fetched again")
			}
			if n := s.hashedBytes(); n != int64(len(d.data)) {
				t.Fatalf("hashed %d bytes", n)
			}
		})
	}
}

// TestChangedFileIsHashed changes one byte of a finished file behind the engine's back.
func TestChangedFileIsHashed(t *testing.T) {
	d := download(t)
	file, err := os.OpenFile(d.path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt([]byte{d.data[3*mib] ^ 1}, 3*mib); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(d.path, time.Now(), time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	sent := d.w.sent.Load()
	_, s := d.open(t)
	waitUntil(t, "verification", func() bool { return s.Stats().Completed == int64(len(d.data))-256<<10 })
	<-s.settled
	time.Sleep(50 * time.Millisecond)
	if d.w.sent.Load() != sent {
		t.Fatal("the damaged piece was fetched, and nobody wants it")
	}
	s.Download()
	waitComplete(t, s)
	checkFile(t, s, d.fixture)
}

func TestDeletedFileIsFetchedAgain(t *testing.T) {
	d := download(t)
	if err := os.Remove(d.path); err != nil {
		t.Fatal(err)
	}
	_, s := d.open(t)
	if got := s.Stats(); got.Completed != 0 {
		t.Fatalf("%+v", got)
	}
	s.Download()
	waitComplete(t, s)
	checkFile(t, s, d.fixture)
	if err := s.Leave(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(d.config.Dir); len(entries) != 0 {
		t.Fatalf("left behind: %v", entries)
	}
}

// TestOtherBoot has pieces.db come from before a power cut: what was not synced is hashed.
func TestOtherBoot(t *testing.T) {
	dir := t.TempDir()
	db, err := openPieces(dir + "/pieces.db")
	if err != nil {
		t.Fatal(err)
	}
	ih := newFixture(t, 1000, 100).hash
	states := map[int]pieceState{0: pieceWritten, 1: pieceDurable, 2: pieceMissing}
	if err := db.put(ih, change{pieces: states, known: true}); err != nil {
		t.Fatal(err)
	}
	check := func(want ...pieceState) {
		t.Helper()
		got, _, known, err := db.load(ih, 4)
		if err != nil || !known || string(toBytes(got)) != string(toBytes(want)) {
			t.Fatalf("%q, known %v, %v", toBytes(got), known, err)
		}
	}
	check(pieceWritten, pieceDurable, pieceMissing, pieceAbsent)
	db.boot = []byte("another")
	check(pieceDoubt, pieceDurable, pieceMissing, pieceAbsent)
	if err := db.put(ih, change{pieces: map[int]pieceState{3: pieceWritten}}); err != nil {
		t.Fatal(err)
	}
	check(pieceDoubt, pieceDurable, pieceMissing, pieceWritten)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func toBytes(states []pieceState) (b []byte) {
	for _, s := range states {
		b = append(b, byte(s))
	}
	return b
}

func TestPiecesDBInUse(t *testing.T) {
	path := t.TempDir() + "/pieces.db"
	db, err := openPieces(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openPieces(path); err == nil {
		t.Fatal("opened twice")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
