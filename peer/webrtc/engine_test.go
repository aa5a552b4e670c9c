// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"bytes"
	"crypto/sha256"
	be "encoding/binary"
	"encoding/hex"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/anacrolix/torrent"
	"github.com/anacrolix/torrent/bencode"
	"github.com/anacrolix/torrent/metainfo"
	"github.com/anacrolix/torrent/storage"
)

// clip is a file and its torrent.
type clip struct {
	name   string
	data   []byte
	sha256 string
	mi     *metainfo.MetaInfo
}

const clipPiece = 64 << 10

func newClip(t testing.TB, name string, size int) *clip {
	t.Helper()
	data := make([]byte, size)
	var seed [32]byte
	copy(seed[:], name)
	_, _ = rand.NewChaCha8(seed).Read(data)
	pieces, err := metainfo.GeneratePieces(bytes.NewReader(data), clipPiece, nil)
	if err != nil {
		t.Fatal(err)
	}
	info := metainfo.Info{PieceLength: clipPiece, Pieces: pieces, Name: name, Length: int64(size)}
	encoded, err := bencode.Marshal(info)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	return &clip{name: name, data: data, sha256: hex.EncodeToString(sum[:]), mi: &metainfo.MetaInfo{InfoBytes: encoded}}
}

func (c *clip) infohash() [20]byte { return c.mi.HashInfoBytes() }

func (c *clip) torrent(t testing.TB) []byte {
	t.Helper()
	data, err := bencode.Marshal(c.mi)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// write puts the file into a folder.
func (c *clip) write(t testing.TB, dir string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, c.name), c.data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// engine is a torrent client with every transport off but ours.
type engine struct {
	t   testing.TB
	dir string
	cl  *torrent.Client
	tr  *Transport
}

func newEngine(t testing.TB) *engine {
	t.Helper()
	return newEngineIn(t, t.TempDir())
}

func newEngineIn(t testing.TB, dir string) *engine {
	t.Helper()
	e := &engine{t: t, dir: dir}
	cfg := torrent.NewDefaultClientConfig()
	cfg.DataDir = e.dir
	cfg.Seed = true
	cfg.NoDHT = true
	cfg.DisableTCP = true
	cfg.DisableUTP = true
	cfg.DisableTrackers = true
	cfg.DisableWebtorrent = true
	cfg.DisableWebseeds = true
	cfg.DisablePEX = true
	cfg.NoDefaultPortForwarding = true
	cfg.Slogger = slog.New(slog.DiscardHandler)
	cfg.DefaultStorage = storage.NewFileOpts(storage.NewFileClientOpts{
		ClientBaseDir:   e.dir,
		PieceCompletion: storage.NewMapPieceCompletion(),
	})
	var err error
	if e.tr, err = newTransport(Config{Loopback: true}, defaultTimings()); err != nil {
		t.Fatal(err)
	}
	if e.cl, err = torrent.NewClient(cfg); err != nil {
		t.Fatal(err)
	}
	e.cl.AddListener(e.tr.Listener())
	t.Cleanup(func() {
		for _, err := range e.cl.Close() {
			t.Error(err)
		}
		if err := e.tr.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// add adds a torrent and checks what is on disk of it.
func (e *engine) add(c *clip) *torrent.Torrent {
	e.t.Helper()
	tt, err := e.cl.AddTorrent(c.mi)
	if err != nil {
		e.t.Fatal(err)
	}
	if err := tt.VerifyDataContext(e.t.Context()); err != nil {
		e.t.Fatal(err)
	}
	return tt
}

// join joins the torrent's swarm over WebRTC.
func (e *engine) join(tt *torrent.Torrent, tracker string) *Swarm {
	return e.tr.Join(SwarmConfig{
		Infohash:   tt.InfoHash(),
		PeerID:     e.cl.PeerID(),
		Extensions: torrent.NewDefaultClientConfig().Extensions,
		Trackers:   []string{tracker},
		Progress: func() (int64, int64, int64) {
			stats := tt.Stats()
			return stats.BytesWrittenData.Int64(), stats.BytesReadUsefulData.Int64(), tt.BytesMissing()
		},
	})
}

func (e *engine) seed(c *clip, tracker string) *torrent.Torrent {
	e.t.Helper()
	c.write(e.t, e.dir)
	tt := e.add(c)
	// The client says that a piece is verified before it notes that it is complete.
	eventually(e.t, "seeder complete", func() bool { return tt.BytesMissing() == 0 })
	if tracker != "" {
		e.join(tt, tracker)
	}
	return tt
}

// complete waits for all of a torrent and compares its file.
func (e *engine) complete(tt *torrent.Torrent, c *clip) {
	e.t.Helper()
	tt.DownloadAll()
	eventually(e.t, "download complete", func() bool { return tt.BytesMissing() == 0 })
	var got []byte
	eventually(e.t, "file in its place", func() (ok bool) {
		var err error
		got, err = os.ReadFile(filepath.Join(e.dir, c.name))
		return err == nil
	})
	if !bytes.Equal(got, c.data) {
		e.t.Fatal("the file differs from the one that was seeded")
	}
}

// received is how many bytes of pieces came in.
func received(tt *torrent.Torrent) int64 {
	stats := tt.Stats()
	return stats.BytesReadData.Int64()
}

func TestTorrentClientsExchangeAFile(t *testing.T) {
	f := newFakeTracker(t)
	c := newClip(t, "clip", 8<<20+123)
	seeder, leecher := newEngine(t), newEngine(t)
	seeder.seed(c, f.URL)
	tt := leecher.add(c)
	s := leecher.join(tt, f.URL)
	leecher.complete(tt, c)
	s.Completed()
	eventually(t, "completed announced", func() bool {
		for _, m := range f.announces(leecher.cl.PeerID()) {
			if m.Event == "completed" && m.Left != nil && *m.Left == 0 {
				return true
			}
		}
		return false
	})
}

// TestALiarIsBannedAlone: a peer that sends wrong bytes and one that sends right ones have the same
// IP address. The file completes, the liar is gone, and the honest peer is not banned with it.
func TestALiarIsBannedAlone(t *testing.T) {
	f := newFakeTracker(t)
	c := newClip(t, "clip", 8<<20)
	liar := testTransport(t, defaultTimings())
	liarCfg := SwarmConfig{
		Infohash: c.infohash(), PeerID: id("liar"), Trackers: []string{f.URL},
		Progress: func() (int64, int64, int64) { return 0, 0, 0 },
	}
	liar.Join(liarCfg)
	gone := make(chan struct{}, 100)
	go func() {
		for {
			conn, err := liar.Listener().Accept()
			if err != nil {
				return
			}
			lie(conn, liarCfg, c)
			gone <- struct{}{}
		}
	}()

	leecher := newEngine(t)
	tt := leecher.add(c)
	s := leecher.join(tt, f.URL)
	tt.DownloadAll()
	eventually(t, "wrong bytes received", func() bool { return received(tt) > 0 })

	honest := newEngine(t)
	honest.seed(c, f.URL)
	s.Announce()
	leecher.complete(tt, c)
	select {
	case <-gone:
	default:
		t.Fatal("the liar is still connected")
	}
	if banned := leecher.cl.BadPeerIPs(); len(banned) != 1 {
		t.Fatalf("banned are %v, want the liar alone", banned)
	}
}

// lie claims to have everything and answers requests with zeros, until it is cut off.
func lie(conn net.Conn, cfg SwarmConfig, c *clip) {
	defer conn.Close()
	hs := handshake(&cfg)
	bitfield := bytes.Repeat([]byte{0xff}, (len(c.data)/clipPiece+7)/8)
	var hello []byte
	hello = append(hello, hs[:]...)
	hello = be.BigEndian.AppendUint32(hello, uint32(1+len(bitfield)))
	hello = append(append(hello, 5), bitfield...)
	hello = append(hello, 0, 0, 0, 1, 1) // unchoke
	if _, err := conn.Write(hello); err != nil {
		return
	}
	if _, err := io.CopyN(io.Discard, conn, handshakeSize); err != nil {
		return
	}
	for {
		var size uint32
		if be.Read(conn, be.BigEndian, &size) != nil || size > 1<<20 {
			return
		}
		body := make([]byte, size)
		if _, err := io.ReadFull(conn, body); err != nil {
			return
		}
		if len(body) != 13 || body[0] != 6 {
			continue
		}
		n := be.BigEndian.Uint32(body[9:])
		answer := be.BigEndian.AppendUint32(nil, 9+n)
		answer = append(append(answer, 7), body[1:9]...)
		if _, err := conn.Write(append(answer, make([]byte, n)...)); err != nil {
			return
		}
	}
}

// as is the clip in the torrent that somebody else made of it.
func (c *clip) as(t testing.TB, torrent []byte) *clip {
	t.Helper()
	var mi metainfo.MetaInfo
	if err := bencode.Unmarshal(torrent, &mi); err != nil {
		t.Fatal(err)
	}
	mi.Announce, mi.AnnounceList, mi.UrlList = "", nil, nil
	return &clip{name: c.name, data: c.data, sha256: c.sha256, mi: &mi}
}
