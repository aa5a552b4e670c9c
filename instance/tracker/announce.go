// SPDX-License-Identifier: AGPL-3.0-or-later

package tracker

import (
	"errors"
	"math"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	defaultNumwant = 50
	maxNumwant     = 82
	maxQuery       = 8 << 10
)

// request is one HTTP announce (BEP 3).
type request struct {
	infohash  Hash
	peerID    [20]byte
	port      uint16
	left      bool // "left" is not 0, or unknown
	event     string
	numwant   int
	compact   bool // BEP 23
	noPeerIDs bool
}

// query splits a query string. Unlike url.ParseQuery it takes ';' as a plain byte, since infohashes
// hold any byte and some clients escape few.
func query(raw string, each func(key, value string) error) error {
	if len(raw) > maxQuery {
		return errors.New("query is too long")
	}
	for part := range strings.SplitSeq(raw, "&") {
		key, value, _ := strings.Cut(part, "=")
		value, err := url.QueryUnescape(value)
		if err != nil {
			return errors.New("invalid query")
		}
		if err := each(key, value); err != nil {
			return err
		}
	}
	return nil
}

// parseAnnounce reads an announce's query. Its errors are what a client is told.
func parseAnnounce(raw string) (request, error) {
	req := request{left: true, numwant: defaultNumwant}
	var hasHash, hasPeer bool
	err := query(raw, func(key, v string) error {
		switch key {
		case "info_hash":
			hasHash = len(v) == 20
			copy(req.infohash[:], v)
		case "peer_id":
			hasPeer = len(v) == 20
			copy(req.peerID[:], v)
		case "port":
			n, err := strconv.ParseUint(v, 10, 16)
			if err != nil {
				return errors.New("invalid port")
			}
			req.port = uint16(n)
		case "left":
			n, err := strconv.ParseFloat(v, 64)
			req.left = err != nil || n != 0
		case "event":
			req.event = v
		case "numwant":
			if n, err := strconv.Atoi(v); err == nil && n >= 0 {
				req.numwant = min(n, maxNumwant)
			}
		case "compact":
			req.compact = v == "1"
		case "no_peer_id":
			req.noPeerIDs = v == "1"
		}
		return nil
	})
	switch {
	case err != nil:
		return request{}, err
	case !hasHash:
		return request{}, errors.New("invalid info_hash")
	case !hasPeer:
		return request{}, errors.New("invalid peer_id")
	case req.port == 0 && req.event != "stopped":
		return request{}, errors.New("invalid port")
	}
	return req, nil
}

// Announce is the handler of /tracker/announce (BEP 3, 7, 23). Refusals are told as "failure
// reason" with status 200, as clients expect.
func (t *Tracker) Announce(w http.ResponseWriter, r *http.Request) {
	req, err := parseAnnounce(r.URL.RawQuery)
	if err != nil {
		writeFailure(w, err.Error())
		return
	}
	ip := t.cfg.ClientIP(r)
	if !t.cfg.Known(req.infohash) {
		writeFailure(w, unknown(req.infohash, ip))
		return
	}
	if !ip.IsValid() {
		writeFailure(w, "no client address")
		return
	}
	st, peers, err := t.join(&req, ip, time.Now())
	if err != nil {
		writeFailure(w, err.Error())
		return
	}
	b := append(make([]byte, 0, 256+32*len(peers)), 'd')
	b = bencInt(b, "complete", int64(st.Seeders))
	b = bencInt(b, "incomplete", int64(st.Leechers))
	b = bencInt(b, "interval", int64(t.cfg.HTTPInterval.Seconds()))
	if req.compact {
		b = compactPeers(b, peers)
	} else {
		b = listPeers(b, peers, !req.noPeerIDs)
	}
	writeBenc(w, append(b, 'e'))
}

type address struct {
	id   [20]byte
	addr netip.AddrPort
}

// join notes an announce in its swarm and picks peers for it.
func (t *Tracker) join(req *request, ip netip.Addr, now time.Time) (Stats, []address, error) {
	sh := t.shard(req.infohash)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	s := sh.get(req.infohash)
	p := s.peers[req.peerID]
	if req.event == "stopped" {
		if p != nil && ipKey(p.counted) == ipKey(ip) {
			s.dropAddr(p, &t.httpPerIP)
		}
		return s.stats(), nil, nil
	}
	addr := netip.AddrPortFrom(ip, req.port)
	if p == nil || p.addr != addr {
		if p != nil && p.addr.IsValid() && p.addr.Addr() != ip && now.Unix()-p.atSeen < int64(t.cfg.HTTPInterval.Seconds()) {
			return Stats{}, nil, errors.New("peer_id is in use by another peer")
		}
		if !t.httpPerIP.add(ip) {
			return Stats{}, nil, errors.New("too many peers from one address")
		}
		if p != nil && p.addr.IsValid() {
			t.httpPerIP.sub(p.counted)
		}
		p = s.get(req.infohash, req.peerID)
		s.setAddr(p, addr, ip)
	}
	p.atSeen = now.Unix()
	completed := req.event == "completed"
	s.note(p, !req.left || completed, completed)

	var peers []address
	pick(s.addrs, req.numwant, p, func(o *peer) { peers = append(peers, address{o.id, o.addr}) })
	return s.stats(), peers, nil
}

// Scrape is the handler of /tracker/scrape (BEP 48). It answers for known infohashes that are
// named, at most maxScrape.
func (t *Tracker) Scrape(w http.ResponseWriter, r *http.Request) {
	var asked []Hash
	err := query(r.URL.RawQuery, func(key, v string) error {
		if key != "info_hash" {
			return nil
		}
		if len(v) != 20 {
			return errors.New("invalid info_hash")
		}
		if len(asked) < maxScrape {
			asked = append(asked, Hash([]byte(v)))
		}
		return nil
	})
	if err == nil && len(asked) == 0 {
		err = errors.New("invalid info_hash")
	}
	if err != nil {
		writeFailure(w, err.Error())
		return
	}
	sortUnique(&asked)
	b := append(make([]byte, 0, 128*len(asked)), "d5:filesd"...)
	for _, h := range asked {
		if !t.cfg.Known(h) {
			continue
		}
		st := t.Stats(h)
		b = append(bencString(b, h[:]), 'd')
		b = bencInt(b, "complete", int64(st.Seeders))
		b = bencInt(b, "downloaded", int64(st.Downloads))
		b = append(bencInt(b, "incomplete", int64(st.Leechers)), 'e')
	}
	b = append(b, "e5:flagsd"...)
	b = bencInt(b, "min_request_interval", int64(math.Ceil(t.cfg.HTTPInterval.Seconds())))
	writeBenc(w, append(b, "ee"...))
}
