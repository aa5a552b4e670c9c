// SPDX-License-Identifier: AGPL-3.0-or-later

package tracker

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

const (
	// maxOffers is how many offers of one announce are relayed.
	maxOffers = 10
	// maxOfferID bounds an offer_id as it stands in JSON; 20 escaped bytes fit.
	maxOfferID = 256
	// maxScrape is how many infohashes one scrape may ask for.
	maxScrape = 100
)

// message is one request on the socket. The byte slices are spans of the request as it came, so
// they live as long as its buffer.
type message struct {
	action   []byte // without quotes
	event    []byte // without quotes
	infohash Hash
	hashJSON []byte // infohash as it stood in the request
	peerID   [20]byte
	peerJSON []byte
	toPeer   [20]byte
	offers   []offer // at most maxOffers, of announce
	offerID  []byte  // of an answer
	answer   []byte  // nil in an announce
	numwant  int
	left     bool   // "left" is not 0, or unknown
	scrape   []Hash // of scrape
	scrapeJS [][]byte
	hasPeer  bool
	hasTo    bool
	hasHash  bool
}

type offer struct{ offer, id []byte }

// parseMessage reads one request. Its errors are what a client is told as "failure reason".
func parseMessage(b []byte, m *message) error {
	*m = message{numwant: -1, left: true, offers: m.offers[:0], scrape: m.scrape[:0], scrapeJS: m.scrapeJS[:0]}
	if !utf8.Valid(b) {
		return errJSON
	}
	s := scanner{b: b}
	if err := s.object(0, func(key []byte) error { return m.member(&s, key) }); err != nil {
		return err
	}
	s.space()
	if s.i != len(b) {
		return errJSON
	}
	return m.check()
}

func (m *message) member(s *scanner, key []byte) error {
	if keyIs(key, "offers") {
		return m.setOffers(s)
	}
	v, err := s.value(1)
	if err != nil {
		return err
	}
	switch {
	case keyIs(key, "action"):
		m.action = text(v)
	case keyIs(key, "event"):
		m.event = text(v)
	case keyIs(key, "info_hash"):
		return m.setHash(v)
	case keyIs(key, "peer_id"):
		m.peerJSON, m.hasPeer = v, latin1(v, m.peerID[:])
	case keyIs(key, "to_peer_id"):
		m.hasTo = latin1(v, m.toPeer[:])
	case keyIs(key, "offer_id"):
		m.offerID = v
	case keyIs(key, "answer"):
		m.answer = nil
		if v[0] == '{' {
			m.answer = v
		}
	case keyIs(key, "numwant"):
		m.numwant = -1
		if n, err := strconv.Atoi(string(v)); err == nil && n >= 0 {
			m.numwant = n
		}
	case keyIs(key, "left"):
		n, err := strconv.ParseFloat(string(v), 64)
		m.left = err != nil || n != 0
	}
	return nil
}

// text is a string's inside; escapes stay, since no word of the protocol has one.
func text(v []byte) []byte {
	if v[0] != '"' {
		return nil
	}
	return v[1 : len(v)-1]
}

func (m *message) setHash(v []byte) error {
	m.hasHash, m.scrape, m.scrapeJS = false, m.scrape[:0], m.scrapeJS[:0]
	if v[0] == '"' {
		m.hashJSON, m.hasHash = v, latin1(v, m.infohash[:])
		return nil
	}
	if v[0] != '[' { // a scrape of several
		return nil
	}
	s := scanner{b: v}
	return s.array(1, func() error {
		var h Hash
		item, err := s.value(2)
		if err != nil || !latin1(item, h[:]) {
			return errors.New("invalid info_hash")
		}
		if len(m.scrape) == maxScrape {
			return fmt.Errorf("too many infohashes in one scrape: %d are allowed", maxScrape)
		}
		m.scrape, m.scrapeJS = append(m.scrape, h), append(m.scrapeJS, item)
		return nil
	})
}

// setOffers consumes the offers, which are most of a message, in one pass.
func (m *message) setOffers(s *scanner) error {
	m.offers = m.offers[:0]
	if s.next() != '[' {
		_, err := s.value(1)
		return err
	}
	return s.array(1, func() error {
		if len(m.offers) == maxOffers || s.next() != '{' {
			_, err := s.value(2)
			return err
		}
		var o offer
		err := s.object(2, func(key []byte) error {
			v, err := s.value(3)
			switch {
			case err != nil:
			case keyIs(key, "offer") && v[0] == '{':
				o.offer = v
			case keyIs(key, "offer_id") && validOfferID(v):
				o.id = v
			}
			return err
		})
		if err == nil && o.offer != nil && o.id != nil {
			m.offers = append(m.offers, o)
		}
		return err
	})
}

func validOfferID(v []byte) bool { return v[0] == '"' && len(v) <= maxOfferID }

func (m *message) check() error {
	switch string(m.action) {
	case "announce":
		switch {
		case !m.hasHash:
			return errors.New("invalid info_hash")
		case !m.hasPeer:
			return errors.New("invalid peer_id")
		case m.answer != nil && !m.hasTo:
			return errors.New("invalid `to_peer_id` (required with `answer`)")
		case m.answer != nil && !validOfferID(orEmpty(m.offerID)):
			return errors.New("invalid `offer_id` (required with `answer`)")
		}
	case "scrape":
		switch {
		case m.hasHash:
			m.scrape, m.scrapeJS = append(m.scrape, m.infohash), append(m.scrapeJS, m.hashJSON)
		case len(m.scrape) == 0:
			return errors.New("invalid info_hash")
		}
	default:
		return fmt.Errorf("invalid action in WS request: %s", clip(m.action))
	}
	return nil
}

func orEmpty(v []byte) []byte {
	if len(v) == 0 {
		return []byte("0")
	}
	return v
}

// clip shortens what a client said before it is said back.
func clip(b []byte) string {
	const most = 40
	if len(b) <= most {
		return string(b)
	}
	cut := most
	for !utf8.RuneStart(b[cut]) {
		cut--
	}
	return string(b[:cut])
}
