// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

// TestRefresh connects to the tracker anew, without the pause of a failure, and lets go of offers that hold old addresses.
func TestRefresh(t *testing.T) {
	f := newFakeTracker(t)
	times := quickTimes()
	times.backoffMin, times.backoffMax = time.Hour, time.Hour
	tr := testTransport(t, times)
	cfg := swarmOf("a", f.URL)
	s := tr.Join(cfg)
	eventually(t, "announced", func() bool { return f.events(cfg.PeerID) == "started" })
	old := f.announces(cfg.PeerID)[0].Offers
	if len(old) == 0 {
		t.Fatal("no offers")
	}
	tr.Refresh()
	eventually(t, "announced anew", func() bool { return f.events(cfg.PeerID) == "started,started" })
	s.mu.Lock()
	for _, o := range old {
		if s.offers[string(o.OfferID)] != nil {
			t.Error("an offer with the old addresses is kept")
		}
	}
	s.mu.Unlock()
	eventually(t, "one WebSocket", func() bool { return f.open() == 1 })

	// Where the tracker is not reached, the next try comes at once too.
	f.set(func() { f.refuse = true })
	tr.Refresh()
	eventually(t, "tried", func() bool { return f.dialed() == 3 })
	eventually(t, "not connected", func() bool { return f.open() == 0 })
	f.set(func() { f.refuse = false })
	tr.Refresh()
	eventually(t, "announced anew", func() bool { return f.events(cfg.PeerID) == "started,started,started" })
}

// TestIdentityThatRanOut: the clock was set forward, or the machine slept for long, and the certificate has
// expired. Connections are made with a new one.
func TestIdentityThatRanOut(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	old, err := webrtc.NewCertificate(key, x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	i := identity{cert: old, born: time.Now()}
	got, err := i.certificate()
	if err != nil || got.Equals(*old) || got.Expires().Before(time.Now()) {
		t.Fatalf("expires at %s, %v", got.Expires(), err)
	}
	again, err := i.certificate()
	if err != nil || !again.Equals(got) {
		t.Fatalf("another one each time, %v", err)
	}
}
