// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/torrent/bencode"
	"github.com/anacrolix/torrent/tracker"
	trackerhttp "github.com/anacrolix/torrent/tracker/http"
	"golang.org/x/time/rate"

	"shoal/peer/bound"
	"shoal/peer/pulse"
)

// Bounds on announcing to HTTP and UDP trackers (BEP 3, BEP 15).
const (
	announceTimeout     = 15 * time.Second
	stoppedTimeout      = 2 * time.Second
	minAnnounceInterval = 30 * time.Second
	maxAnnounceInterval = time.Hour
	minAnnounceRetry    = 10 * time.Second
	maxAnnounceRetry    = 20 * time.Minute
	maxAnnounceResponse = 1 << 20 // bytes
	maxAnnouncePeers    = 200

	// Complete seeds announce themselves at this pace, to all trackers together.
	seedsPerSecond = 50
	seedsAtOnce    = 20
)

// errProxied is why a UDP tracker is left alone.
var errProxied = errors.New("UDP trackers are not announced to while a proxy is set, for they would see your own address")

// announcer announces one swarm to one tracker. The engine's own announcer is not used: it panics
// on some URLs, does not verify TLS, and tells nobody how it fares.
type announcer struct {
	url      string
	client   *http.Client
	logger   *slog.Logger
	request  func() tracker.AnnounceRequest // the swarm's figures
	addPeers func(tracker.AnnounceResponse)
	proxied  func() bool // see Config.Proxied
	on       bound.Interface
	udp      string        // network of UDP trackers: "udp", or "udp4" for IPv4 alone
	pace     *rate.Limiter // of seeds that announce themselves

	ctx   context.Context //nolint:containedctx // the announcer's own life
	pulse *pulse.Pulse

	// For the pulse alone, and then for leave.
	paced bool              // it is no seed, or has its place among them
	place *rate.Reservation // among the seeds; nil: none
	known bool              // the tracker knows us
	retry time.Duration

	mu       sync.Mutex
	now      bool // announce, though it is not due
	complete bool // the tracker is to be told that the last piece came in
	status   TrackerStatus
}

func (a *announcer) Status() TrackerStatus {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.status
}

// start announces from now on, until ctx ends. Call leave then.
func (a *announcer) start(ctx context.Context) {
	a.ctx, a.retry = ctx, minAnnounceRetry
	a.pulse = pulse.New(a.tend)
	a.pulse.Wake()
}

// completed has the tracker told that the last piece came in.
func (a *announcer) completed() {
	a.mu.Lock()
	a.now, a.complete = true, true
	a.mu.Unlock()
	a.pulse.Wake()
}

// hurry has the tracker told of us at once, for our address may be another.
func (a *announcer) hurry() {
	a.mu.Lock()
	a.now = true
	a.mu.Unlock()
	a.pulse.Wake()
}

// leave tells the tracker, if it knows us, that we have stopped.
func (a *announcer) leave() {
	a.pulse.Stop()
	a.pulse.Wait()
	if a.place != nil {
		a.place.Cancel() // others move up
	}
	if a.known {
		_, _ = a.announce(context.WithoutCancel(a.ctx), tracker.Stopped, stoppedTimeout)
	}
}

// tend announces if that is due. It returns how long it is until the next time.
func (a *announcer) tend() time.Duration {
	if a.ctx.Err() != nil {
		return pulse.Never
	}
	if !a.paced && a.request().Left == 0 {
		a.place = a.pace.Reserve()
		a.plan(a.place.Delay())
	}
	a.paced = true
	event, wait := a.next()
	if wait > 0 {
		return wait
	}
	wait, err := a.announce(a.ctx, event, announceTimeout)
	if err == nil {
		a.known, a.retry = true, minAnnounceRetry
		if a.owes() {
			return 0
		}
	} else if a.ctx.Err() == nil {
		a.logger.Debug("announcing failed", "tracker", a.url, "error", err)
		wait = a.retry + rand.N(a.retry/2)
		a.retry = min(2*a.retry, maxAnnounceRetry)
		a.failed(event)
	}
	a.plan(wait)
	return wait
}

// next returns what the next announce tells (BEP 3), and how long it is until then. A call that returns
// 0 counts as that announce.
func (a *announcer) next() (tracker.AnnounceEvent, time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if wait := time.Until(a.status.NextAnnounce); !a.now && wait > 0 {
		return tracker.None, wait
	}
	if a.now {
		a.retry = minAnnounceRetry
	}
	a.now = false
	switch {
	case !a.known:
		return tracker.Started, 0
	case a.complete:
		a.complete = false
		return tracker.Completed, 0
	}
	return tracker.None, 0
}

// owes reports whether the tracker, which knows us now, is yet to be told that the last piece came in.
func (a *announcer) owes() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now = a.now || a.complete
	return a.now
}

// failed keeps in mind what an announce was to tell.
func (a *announcer) failed(event tracker.AnnounceEvent) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.complete = a.complete || event == tracker.Completed
}

func (a *announcer) plan(wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.status.NextAnnounce = time.Now().Add(wait)
}

// announce announces once. It returns when to come again.
func (a *announcer) announce(ctx context.Context, event tracker.AnnounceEvent, timeout time.Duration) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req := a.request()
	req.Event = event
	if event == tracker.Stopped {
		req.NumWant = 0
	}
	var res tracker.AnnounceResponse
	var warning string
	var err error
	udp := strings.HasPrefix(a.url, "udp:")
	switch {
	case udp && a.proxied != nil && a.proxied():
		err = errProxied
	case udp && a.on.Held():
		err = bound.ErrHeld
	case udp:
		res, err = announceUDP(ctx, a.url, a.udp, req, a.on)
	default:
		res, warning, err = announceHTTP(ctx, a.client, a.url, req)
	}
	a.mu.Lock()
	a.status.LastAnnounce = time.Now()
	a.status.Connected = err == nil
	a.status.Warning = warning
	a.status.LastError = ""
	if err != nil {
		a.status.LastError = err.Error()
	} else {
		a.status.Seeders, a.status.Leechers = int(res.Seeders), int(res.Leechers)
	}
	a.mu.Unlock()
	if err != nil {
		return 0, err
	}
	if event != tracker.Stopped {
		res.Peers = res.Peers[:min(len(res.Peers), maxAnnouncePeers)]
		a.addPeers(res)
	}
	interval := max(time.Duration(res.Interval)*time.Second, minAnnounceInterval)
	return min(interval+rand.N(interval/10), maxAnnounceInterval), nil
}

func announceUDP(ctx context.Context, rawURL, network string, req tracker.AnnounceRequest, on bound.Interface) (tracker.AnnounceResponse, error) {
	client, err := tracker.NewClient(rawURL, tracker.NewClientOpts{Slogger: slog.New(slog.DiscardHandler), UdpNetwork: network, ListenPacket: listenOneAnswer(on)})
	if err != nil {
		return tracker.AnnounceResponse{}, fmt.Errorf("reaching the tracker: %w", err)
	}
	res, err := client.Announce(ctx, req, tracker.AnnounceOpt{})
	err = errors.Join(err, client.Close())
	if err != nil {
		return tracker.AnnounceResponse{}, fmt.Errorf("announcing: %w", err)
	}
	return res, nil
}

// httpAnswer is a tracker's answer (BEP 3, BEP 7, BEP 23).
type httpAnswer struct {
	FailureReason string                    `bencode:"failure reason"`
	Warning       string                    `bencode:"warning message"`
	Interval      int32                     `bencode:"interval"`
	Complete      int32                     `bencode:"complete"`
	Incomplete    int32                     `bencode:"incomplete"`
	Peers         trackerhttp.Peers         `bencode:"peers"`
	Peers6        krpc.CompactIPv6NodeAddrs `bencode:"peers6"`
}

func announceHTTP(ctx context.Context, client *http.Client, rawURL string, req tracker.AnnounceRequest) (res tracker.AnnounceResponse, warning string, err error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return res, "", fmt.Errorf("reading the tracker's address: %w", err)
	}
	u.RawQuery = strings.TrimPrefix(u.RawQuery+"&"+announceQuery(req), "&")
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return res, "", fmt.Errorf("asking the tracker: %w", err)
	}
	r.Header.Set("User-Agent", userAgent)
	answer, err := client.Do(r)
	if err != nil {
		return res, "", fmt.Errorf("asking the tracker: %w", err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnnounceResponse))
	if err != nil {
		return res, "", fmt.Errorf("reading the tracker's answer: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return res, "", fmt.Errorf("the tracker answered %s", answer.Status)
	}
	if err := checkBencode(body); err != nil {
		return res, "", fmt.Errorf("reading the tracker's answer: %w", err)
	}
	var got httpAnswer
	if err := bencode.Unmarshal(body, &got); err != nil {
		return res, "", fmt.Errorf("reading the tracker's answer: %w", err)
	}
	if got.FailureReason != "" {
		return res, "", fmt.Errorf("the tracker refused: %s", cleanName(got.FailureReason))
	}
	res.Interval, res.Seeders, res.Leechers = got.Interval, got.Complete, got.Incomplete
	res.Peers = got.Peers.List
	for _, p := range got.Peers6 {
		res.Peers = append(res.Peers, tracker.Peer{IP: p.IP, Port: p.Port})
	}
	return res, cleanName(got.Warning), nil
}

// announceQuery is the query string of an announce (BEP 3, BEP 23).
func announceQuery(req tracker.AnnounceRequest) string {
	left := req.Left
	if left < 0 {
		left = math.MaxInt64 // unknown
	}
	pairs := []string{
		"info_hash=" + queryBytes(req.InfoHash[:]),
		"peer_id=" + queryBytes(req.PeerId[:]),
		"port=" + strconv.Itoa(int(req.Port)),
		"uploaded=" + strconv.FormatInt(req.Uploaded, 10),
		"downloaded=" + strconv.FormatInt(req.Downloaded, 10),
		"left=" + strconv.FormatInt(left, 10),
		"compact=1",
		"numwant=" + strconv.Itoa(int(req.NumWant)),
		"key=" + fmt.Sprintf("%08x", uint32(req.Key)),
		"supportcrypto=1",
	}
	if req.Event != tracker.None {
		pairs = append(pairs, "event="+req.Event.String())
	}
	return strings.Join(pairs, "&")
}

// queryBytes escapes every byte: some trackers do not take + for a space.
func queryBytes(b []byte) string {
	const digits = "0123456789ABCDEF"
	escaped := make([]byte, 0, 3*len(b))
	for _, c := range b {
		escaped = append(escaped, '%', digits[c>>4], digits[c&0xf])
	}
	return string(escaped)
}

// announceRequest fills in this swarm's figures.
func (s *Swarm) announceRequest() tracker.AnnounceRequest {
	uploaded, downloaded, left := s.progress()
	id := s.engine.client.PeerID()
	return tracker.AnnounceRequest{
		InfoHash:   s.infohash,
		PeerId:     id,
		Uploaded:   uploaded,
		Downloaded: downloaded,
		Left:       left,
		Key:        int32(binary.BigEndian.Uint32(id[16:])),
		NumWant:    50,
		Port:       s.engine.announcePort(),
	}
}

// hostPort writes a peer's address as the engine reads it.
func hostPort(p tracker.Peer) string {
	return net.JoinHostPort(p.IP.String(), strconv.Itoa(p.Port))
}
