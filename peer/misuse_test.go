// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"shoal/peer/webrtc"
)

// heapMiB is what is in use, in MiB.
func heapMiB() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc >> 20)
}

// extended is an extended message (BEP 10).
func extended(id byte, body string) []byte { return wireMessage(msgExtended, id, body) }

// pexOf is a PEX message (BEP 11) of n addresses.
func pexOf(n int) string {
	var added []byte
	for i := range n {
		added = append(added, 198, 51, byte(i>>8), byte(i), 0x1a, 0xe1)
	}
	return fmt.Sprintf("d5:added%d:%s7:added.f%d:%se", len(added), added, n, bytes.Repeat([]byte{0}, n))
}

// hostile are things that no peer should say.
func hostile() map[string][]byte {
	const no = 0xFFFFFFFF
	m := map[string][]byte{
		"message of 10 MB":          append(binary.BigEndian.AppendUint32(nil, 10*mib), make([]byte, 10*mib)...),
		"message of 4 GiB":          {0xff, 0xff, 0xff, 0xff, 7},
		"bitfield of 60 KB":         wireMessage(msgBitfield, bytes.Repeat([]byte{0xff}, 60<<10)),
		"have of no piece":          wireMessage(msgHave, no),
		"request of no piece":       wireMessage(msgRequest, no, 0, blockSize),
		"request beyond the piece":  wireMessage(msgRequest, 0, no-5, blockSize),
		"request of 2 MB":           wireMessage(msgRequest, 0, 0, 2*mib),
		"request of 4 GiB":          wireMessage(msgRequest, 0, 0, no),
		"request of nothing":        wireMessage(msgRequest, 0, 0, 0),
		"reject of no piece":        wireMessage(msgReject, no, no, no),
		"cancel of no piece":        wireMessage(8, no, no, no),
		"piece that nobody wanted":  wireMessage(msgPiece, 0, 0, make([]byte, blockSize)),
		"piece of no place":         wireMessage(msgPiece, no, no, make([]byte, 7)),
		"allowed fast of no piece":  bytes.Repeat(wireMessage(17, no), 100),
		"suggest of no piece":       bytes.Repeat(wireMessage(13, no), 100),
		"hash request":              wireMessage(21, make([]byte, 32), 0, 0, 512, 5),
		"hashes":                    wireMessage(22, make([]byte, 32), 0, 0, 512, 5, make([]byte, 512*32)),
		"unknown message":           wireMessage(200, make([]byte, 1000)),
		"short message":             {0, 0, 0, 1, msgRequest},
		"port 0":                    wireMessage(9, []byte{0, 0}),
		"extended garbage":          extended(0, strings.Repeat("d", 10000)),
		"extended of no number":     extended(77, "de"),
		"extended of a huge number": extended(0, "d1:md6:ut_pexi99999999999999999999eee"),
		"metadata of 2 GiB":         extended(0, "d1:md11:ut_metadatai2ee13:metadata_sizei2147483647ee"),
		"metadata of less than 0":   extended(0, "d1:md11:ut_metadatai2ee13:metadata_sizei-5ee"),
		"many extended handshakes":  bytes.Repeat(extended(0, "d1:md6:ut_pexi1ee1:v3:abce"), 2000),
		"keep-alives":               make([]byte, 400000),
		"nothing, slowly":           nil,
	}
	for i := range byte(4) { // the numbers that the client gives its extensions
		m[fmt.Sprint("PEX of 10,000 addresses, as ", i+1)] = bytes.Repeat(extended(i+1, pexOf(9000)), 3)
		m[fmt.Sprint("PEX again and again, as ", i+1)] = bytes.Repeat(extended(i+1, pexOf(50)), 20)
		m[fmt.Sprint("metadata request of no part, as ", i+1)] = extended(i+1, "d8:msg_typei0e5:piecei99999999ee")
		m[fmt.Sprint("metadata that nobody wanted, as ", i+1)] = extended(i+1, "d8:msg_typei1e5:piecei0e10:total_sizei99ee"+strings.Repeat("x", 99))
		m[fmt.Sprint("holepunch, as ", i+1)] = extended(i+1, "\x01\x00\x7f\x00\x00\x01\x00\x01\x00\x00\x00\x00")
	}
	return m
}

// TestHostilePeers says what no peer should say to an engine that seeds and to one that knows no more
// than the infohash. It costs little memory, and an honest peer is served afterwards.
func TestHostilePeers(t *testing.T) {
	f := newFixture(t, 2*mib, 64<<10)
	seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}})
	s, _ := seeder.Swarm(f.hash)
	magnet := newEngine(t, Config{Sources: Sources{SourceTCP}})
	m := join(t, magnet, Target{Infohash: f.hash}, JoinOptions{})
	m.Download()
	before := heapMiB()
	for name, words := range hostile() {
		for _, e := range []*Engine{seeder, magnet} {
			w := dialWire(t, e, f, "hostile")
			_ = w.SetWriteDeadline(time.Now().Add(10 * time.Second))
			_, err := w.Write(words) // it may be cut off in the middle
			if err == nil {
				_ = w.SetReadDeadline(time.Now().Add(30 * time.Millisecond))
				_, err = io.Copy(io.Discard, w)
			}
			if strings.HasPrefix(name, "message of") && err == nil {
				t.Errorf("%s: nobody hung up", name)
			}
			_ = w.Close()
		}
	}
	if after := heapMiB(); after > before+16 {
		t.Fatalf("%d MiB became %d", before, after)
	}
	for _, n := range []int{s.loaded().Stats().TotalPeers, m.loaded().Stats().TotalPeers} {
		if n > 600 {
			t.Fatalf("%d addresses are kept", n)
		}
	}
	if err := m.merge(Target{Peers: []string{seeder.addr()}}); err != nil {
		t.Fatal(err)
	}
	waitComplete(t, m)
	checkFile(t, m, f)
}

// TestHostilePeersOverWebRTC says some of it over data channels.
func TestHostilePeersOverWebRTC(t *testing.T) {
	f := newFixture(t, 2*mib, 64<<10)
	tracker := newWSTracker(t)
	seeder := webRTCSeeder(t, f, tracker, Config{Sources: Sources{SourceWebRTC}})
	before := heapMiB()
	all := hostile()
	for _, name := range []string{
		"message of 10 MB", "message of 4 GiB", "request of 2 MB", "request of no piece", "extended garbage",
		"PEX of 10,000 addresses, as 1", "many extended handshakes", "keep-alives",
	} {
		w := webRTCWire(t, f, tracker, "hostile")
		_ = w.SetWriteDeadline(time.Now().Add(10 * time.Second))
		_, _ = w.Write(all[name]) // it may be cut off in the middle
		if strings.HasPrefix(name, "message of") {
			_ = w.SetReadDeadline(time.Now().Add(testPatience))
			if _, err := io.Copy(io.Discard, w); err != nil && strings.Contains(err.Error(), "deadline") {
				t.Errorf("%s: nobody hung up", name)
			}
		}
		_ = w.Close()
	}
	if after := heapMiB(); after > before+32 {
		t.Fatalf("%d MiB became %d", before, after)
	}
	e := newEngine(t, Config{Sources: Sources{SourceWebRTC}})
	target := f.target()
	target.Trackers = []string{tracker.url()}
	s := join(t, e, target, JoinOptions{})
	s.Download()
	waitComplete(t, s)
	if n := len(seeder.Swarms()); n != 1 {
		t.Fatalf("%d swarms", n)
	}
}

// webRTCWire is a peer whose messages are made by hand, on a data channel.
func webRTCWire(tb testing.TB, f *fixture, tracker *wsTracker, name string) *wire {
	tb.Helper()
	tr, err := webrtc.New(webrtc.Config{Loopback: true})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = tr.Close() })
	config := webrtc.SwarmConfig{
		Infohash: f.hash, Extensions: [8]byte{5: 0x10, 7: 0x04}, Trackers: []string{tracker.url()},
		Progress: func() (int64, int64, int64) { return 0, 0, 1 },
	}
	hello := wireHandshake(f.hash, fmt.Sprint(name, tr.Port()))
	copy(config.PeerID[:], hello[48:])
	tr.Join(config)
	got := make(chan net.Conn, 1)
	go func() {
		if c, err := tr.Listener().Accept(); err == nil {
			got <- c
		}
	}()
	select {
	case c := <-got:
		tb.Cleanup(func() { _ = c.Close() })
		w, err := shakeHands(tb, c, f, fmt.Sprint(name, tr.Port()))
		if err != nil {
			tb.Fatal(err)
		}
		return w
	case <-time.After(testPatience):
		tb.Fatal("no data channel opened")
		return nil
	}
}

// TestRequestFlood asks for far more than it reads, choked and unchoked, over TCP and WebRTC: memory is
// bounded, and the peer is cut off.
func TestRequestFlood(t *testing.T) {
	f := newFixture(t, 4*mib, 64<<10)
	tracker := newWSTracker(t)
	seeder := webRTCSeeder(t, f, tracker, Config{Sources: Sources{SourceTCP, SourceWebRTC}})
	flood := func(w *wire, interested bool) (cut bool) {
		if interested {
			if err := w.send(msgInterested); err != nil {
				t.Fatal(err)
			}
			if _, err := w.await(msgUnchoke); err != nil {
				t.Fatal(err)
			}
		}
		var batch []byte
		for i := range 4096 {
			at := i * blockSize % len(f.data)
			batch = append(batch, wireMessage(msgRequest, at/(64<<10), at%(64<<10)+i/256, 8<<10)...)
		}
		for range 200 { // 800,000 requests, 13 MB
			_ = w.SetWriteDeadline(time.Now().Add(10 * time.Second))
			if _, err := w.Write(batch); err != nil {
				return true
			}
		}
		_ = w.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, err := io.Copy(io.Discard, w)
		return err == nil || !strings.Contains(err.Error(), "timeout")
	}
	before := heapMiB()
	for _, interested := range []bool{false, true} {
		if !flood(dialWire(t, seeder, f, "flood"), interested) {
			t.Errorf("over TCP, interested %v: not cut off", interested)
		}
	}
	if !flood(webRTCWire(t, f, tracker, "flood"), true) {
		t.Error("over WebRTC: not cut off")
	}
	if after := heapMiB(); after > before+24 {
		t.Fatalf("%d MiB became %d", before, after)
	}
	w := dialWire(t, seeder, f, "honest")
	if err := w.send(msgInterested); err != nil {
		t.Fatal(err)
	}
	if _, err := w.await(msgUnchoke); err != nil {
		t.Fatal(err)
	}
	if err := w.block(3, 0); err != nil {
		t.Fatal(err)
	}
}

// TestMetadataFlood asks for the info again and again without reading it.
func TestMetadataFlood(t *testing.T) {
	f := newFixture(t, 8*mib, 16<<10) // an info of 10 KB
	seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}})
	w := dialWire(t, seeder, f, "curious")
	if _, err := w.Write(extended(0, "d1:md11:ut_metadatai3eee")); err != nil {
		t.Fatal(err)
	}
	var id byte
	for id == 0 { // the number that the other side gave it
		body, err := w.await(msgExtended)
		if err != nil {
			t.Fatal(err)
		}
		if at := bytes.Index(body, []byte("11:ut_metadatai")); at >= 0 {
			id = body[at+15] - '0'
		}
	}
	before := heapMiB()
	batch := bytes.Repeat(extended(id, "d8:msg_typei0e5:piecei0ee"), 1000)
	cut := false
	for range 300 { // were each answered, 3 GB
		_ = w.SetWriteDeadline(time.Now().Add(10 * time.Second))
		if _, err := w.Write(batch); err != nil {
			cut = true
			break
		}
	}
	if !cut {
		t.Error("not cut off")
	}
	if after := heapMiB(); after > before+8 {
		t.Fatalf("%d MiB became %d", before, after)
	}
}

// TestMutePeers has peers that claim to have everything: one never unchokes, one unchokes and never
// answers. Somebody else takes over, be it a peer or a WebSeed.
func TestMutePeers(t *testing.T) {
	f := newFixture(t, 4*mib, 64<<10)
	seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}})
	seed := newWebSeed(t, f, 0)
	for _, helper := range []Source{SourceTCP, SourceWebSeed} {
		t.Run(string(helper), func(t *testing.T) {
			e := newEngine(t, Config{Sources: Sources{SourceTCP, SourceWebSeed}})
			s := join(t, e, f.target(), JoinOptions{})
			s.Download()
			never := dialWire(t, e, f, "never")
			if err := never.send(msgHaveAll); err != nil {
				t.Fatal(err)
			}
			mute := dialWire(t, e, f, "mute")
			_, err := mute.Write(append(wireMessage(msgHaveAll), wireMessage(msgUnchoke)...))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := mute.await(msgRequest); err != nil {
				t.Fatal(err)
			}
			target := Target{Peers: []string{seeder.addr()}}
			if helper == SourceWebSeed {
				target = Target{WebSeeds: []string{seed.url()}}
			}
			if err := s.merge(target); err != nil {
				t.Fatal(err)
			}
			waitComplete(t, s)
			checkFile(t, s, f)
		})
	}
}

// TestThousandConnections opens a thousand connections from one address: half of them never say a word,
// half say that they are somebody else each time. Few are kept, the rest is gone soon, and a peer from
// elsewhere is served meanwhile.
func TestThousandConnections(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("needs 127.0.0.2; only Linux has it without being asked")
		return
	}
	f := newFixture(t, 2*mib, 64<<10)
	seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}})
	s, _ := seeder.Swarm(f.hash)
	goroutines, files := runtime.NumGoroutine(), openFiles()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}, Timeout: 10 * time.Second}
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for i := range 1000 {
		c, err := dialer.Dial("tcp4", seeder.addr())
		if err != nil {
			continue // full: as good
		}
		conns = append(conns, c)
		if i%2 == 0 {
			_, _ = c.Write(wireHandshake(f.hash, fmt.Sprint("many", i)))
		}
	}
	var w *wire
	waitUntil(t, "a peer from elsewhere to be served", func() bool { // it comes again, as peers do
		var err error
		if w, err = tryWire(t, seeder, f, "honest"); err != nil || w.send(msgInterested) != nil {
			return false
		}
		_, err = w.await(msgUnchoke)
		return err == nil && w.block(0, 0) == nil
	})
	most := 0
	waitUntil(t, "the others to be gone", func() bool {
		most = max(most, s.Stats().Peers.TCP)
		return runtime.NumGoroutine() < goroutines+200
	})
	if most > maxPerAddress+3 {
		t.Errorf("%d connections were kept", most)
	}
	if err := w.block(1, 0); err != nil {
		t.Fatal(err)
	}
	for _, c := range conns {
		_ = c.Close()
	}
	_ = w.Close()
	waitUntil(t, "all to be gone", func() bool {
		return s.Stats().Peers.TCP == 0 && openFiles() <= files+3 && runtime.NumGoroutine() <= goroutines+5
	})
}
