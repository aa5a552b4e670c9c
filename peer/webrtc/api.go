// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/transport/v5/stdnet"
	"github.com/pion/webrtc/v4"
)

const (
	// receiveBuffer is the SCTP receive window in bytes: what one connection may hold in memory
	// while the torrent client does not read.
	receiveBuffer = 2 << 20
	// maxMessage is the largest data channel message that we accept, in bytes, told in the SDP
	// (RFC 8841 §6). WebTorrent clients send up to 16 KiB and a header at once.
	maxMessage = 256 << 10
	// iceDisconnected, iceFailed and iceKeepalive: a peer that answers no check for
	// iceDisconnected+iceFailed is gone.
	iceDisconnected = 5 * time.Second
	iceFailed       = 20 * time.Second
	iceKeepalive    = 2 * time.Second
)

// newAPI makes the factory of peer connections: data channels only, on the shared port.
func newAPI(cfg Config, m *mux, logger *slog.Logger) *webrtc.API {
	var se webrtc.SettingEngine
	se.LoggerFactory = pionLoggers{logger: logger}
	networks := []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6}
	if cfg.IPv4Only {
		networks = networks[:1]
	}
	if cfg.Interface.On() || cfg.IPv4Only {
		if std, err := stdnet.NewNet(); err == nil {
			se.SetNet(boundNet{Net: std, on: cfg.Interface, only4: cfg.IPv4Only})
		}
	}
	se.DetachDataChannels()
	se.SetICEUDPMux(m)
	se.SetNetworkTypes(networks)
	se.DisableActiveTCP(true)
	se.SetIncludeLoopbackCandidate(cfg.Loopback)
	se.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	se.SetICETimeouts(iceDisconnected, iceFailed, iceKeepalive)
	se.SetSCTPMaxReceiveBufferSize(receiveBuffer)
	se.SetSCTPMaxMessageSize(maxMessage)
	se.EnableSCTPZeroChecksum(true) // RFC 9653: DTLS checks the bytes already
	return webrtc.NewAPI(
		webrtc.WithSettingEngine(se),
		webrtc.WithMediaEngine(&webrtc.MediaEngine{}),
		webrtc.WithInterceptorRegistry(&interceptor.Registry{}),
	)
}

// identity keeps the certificate that all connections share for a day, since a new key for each
// of them costs time, and one for ever would run out.
type identity struct {
	mu   sync.Mutex
	cert *webrtc.Certificate
	born time.Time
}

const identityLife = 24 * time.Hour

func (i *identity) certificate() (webrtc.Certificate, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	// The expiry is by the wall clock, which sleep and people set forward.
	if i.cert != nil && time.Since(i.born) < identityLife && time.Now().Add(identityLife).Before(i.cert.Expires()) {
		return *i.cert, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return webrtc.Certificate{}, fmt.Errorf("generating key: %w", err)
	}
	cert, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return webrtc.Certificate{}, fmt.Errorf("generating certificate: %w", err)
	}
	i.cert, i.born = cert, time.Now()
	return *cert, nil
}

// newPeerConnection makes a connection that gathers no STUN candidates of its own: those come
// from the shared port (see sdp.go).
func (t *Transport) newPeerConnection(p *port) (*webrtc.PeerConnection, error) {
	cert, err := t.identity.certificate()
	if err != nil {
		return nil, err
	}
	pc, err := p.api.NewPeerConnection(webrtc.Configuration{
		ICEServers:   turnServers(*t.iceServers.Load()),
		Certificates: []webrtc.Certificate{cert},
	})
	if err != nil {
		return nil, fmt.Errorf("creating peer connection: %w", err)
	}
	return pc, nil
}
