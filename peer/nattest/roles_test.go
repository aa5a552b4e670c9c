// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e && linux

package nattest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/anacrolix/torrent/bencode"
	"github.com/anacrolix/torrent/metainfo"
	"github.com/pion/turn/v5"

	"shoal/peer"
	"shoal/peer/bound"
	"shoal/peer/webrtc"
)

const (
	roleVariable    = "SHOAL_NATTEST_ROLE"
	optionsVariable = "SHOAL_NATTEST_OPTIONS"

	turnUser, turnPassword, turnRealm = "shoal", "secret", "shoal.test"
)

// roleOptions tell a child what to do.
type roleOptions struct {
	Listen            []string // addresses of STUN and TURN, for the public side
	CertFile, KeyFile string   // of TURN over TLS
	Tracker           string
	ICEServers        []webrtc.ICEServer
	Seed              bool
	Sources           peer.Sources
	Interface         string // with the kill switch
}

// report is a line of a child.
type report struct {
	Ready     bool
	Complete  bool
	SHA256    string
	Met       webrtc.Met
	NAT       webrtc.NAT
	Held      bool
	Announced time.Time
	Trouble   string // the last of the tracker
	Failed    int64  // connections that ICE did not bring about in its time
}

// child plays a role until it is killed.
func child(role string) int {
	var o roleOptions
	err := json.Unmarshal([]byte(os.Getenv(optionsVariable)), &o)
	if err == nil {
		switch role {
		case "public":
			err = servePublic(o)
		case "peer":
			err = servePeer(o)
		default:
			err = fmt.Errorf("no role %q", role)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func tell(r report) {
	_ = json.NewEncoder(os.Stdout).Encode(r) // whoever listens may be gone
}

// servePublic is a tracker, and STUN and TURN servers.
func servePublic(o roleOptions) error {
	cert, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
	if err != nil {
		return err
	}
	for _, ip := range o.Listen {
		relay := &turn.RelayAddressGeneratorStatic{RelayAddress: net.ParseIP(ip), Address: ip}
		udp, err := net.ListenPacket("udp4", net.JoinHostPort(ip, "3478"))
		if err != nil {
			return err
		}
		tcp, err := net.Listen("tcp4", net.JoinHostPort(ip, "3478"))
		if err != nil {
			return err
		}
		secure, err := tls.Listen("tcp4", net.JoinHostPort(ip, "5349"), &tls.Config{Certificates: []tls.Certificate{cert}})
		if err != nil {
			return err
		}
		_, err = turn.NewServer(turn.ServerConfig{
			Realm: turnRealm,
			AuthHandler: func(ra *turn.RequestAttributes) (string, []byte, bool) {
				return ra.Username, turn.GenerateAuthKey(turnUser, turnRealm, turnPassword), ra.Username == turnUser
			},
			PacketConnConfigs: []turn.PacketConnConfig{{PacketConn: udp, RelayAddressGenerator: relay}},
			ListenerConfigs: []turn.ListenerConfig{
				{Listener: tcp, RelayAddressGenerator: relay}, {Listener: secure, RelayAddressGenerator: relay},
			},
		})
		if err != nil {
			return err
		}
	}
	return serveTracker(o.Tracker, func() { tell(report{Ready: true}) })
}

// film is what moves: the same bytes wherever it is asked for.
func film() ([]byte, *metainfo.MetaInfo, error) {
	const size, pieceLength = 3<<20 + 77, 256 << 10
	data := make([]byte, size)
	if _, err := rand.NewChaCha8([32]byte{1}).Read(data); err != nil {
		return nil, nil, err
	}
	info := metainfo.Info{Name: "film.mp4", Length: size, PieceLength: pieceLength}
	var err error
	if info.Pieces, err = metainfo.GeneratePieces(bytes.NewReader(data), pieceLength, nil); err != nil {
		return nil, nil, err
	}
	encoded, err := bencode.Marshal(info)
	return data, &metainfo.MetaInfo{InfoBytes: encoded}, err
}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

// counter counts the connections that did not open, as the transport logs them.
type counter struct {
	slog.Handler
	failed *atomic.Int64
}

func (c counter) Handle(ctx context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if r.Message == "link ended" && a.Key == "reason" && strings.Contains(a.Value.String(), "did not open in time") {
			c.failed.Add(1)
		}
		return true
	})
	return c.Handler.Handle(ctx, r)
}

// servePeer seeds or fetches the film.
func servePeer(o roleOptions) error {
	data, mi, err := film()
	if err != nil {
		return err
	}
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	var failed atomic.Int64
	e, err := peer.New(peer.Config{
		Dir: filepath.Join(dir, "files"), PiecesDB: filepath.Join(dir, "pieces.db"), Sources: o.Sources,
		Interface: bound.Interface{Name: o.Interface, Strict: true},
		WebRTC:    webrtc.Config{ICEServers: o.ICEServers},
		Logger:    slog.New(counter{slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}), &failed}),
	})
	if err != nil {
		return err
	}
	nat := e.AskSTUN(context.Background())
	var s *peer.Swarm
	if o.Seed {
		path := filepath.Join(dir, "film.mp4")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			return err
		}
		s, err = e.Seed(context.Background(), peer.SeedFile{MetaInfo: mi, Path: path, Trackers: []string{o.Tracker}})
	} else {
		s, err = e.Join(context.Background(), peer.Target{MetaInfo: mi, Trackers: []string{o.Tracker}}, peer.JoinOptions{})
	}
	if err != nil {
		return err
	}
	s.Download()
	for ; ; time.Sleep(100 * time.Millisecond) {
		st := s.Stats()
		r := report{Complete: st.Complete, Met: e.Reach().WebRTC, NAT: nat, Failed: failed.Load()}
		r.Held = bound.Interface{Name: o.Interface, Strict: true}.Held()
		if len(st.Trackers) > 0 {
			r.Announced = st.Trackers[0].LastAnnounce
			r.Trouble = st.Trackers[0].LastError
		}
		r.Ready = len(st.Trackers) > 0 && st.Trackers[0].Connected && !st.Trackers[0].LastAnnounce.IsZero()
		if st.Complete && !o.Seed {
			if r.SHA256, err = fileSum(s.FilePath(0)); err != nil {
				return err
			}
		}
		tell(r)
	}
}

func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	return sum(data), err
}
