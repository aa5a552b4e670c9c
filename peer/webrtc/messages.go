// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// message is every message of the WebTorrent tracker protocol, both ways: JSON over WebSocket, with
// BEP 3's announce in it and WebRTC's offers and answers. Fields that a message lacks are nil or
// empty.
type message struct {
	Action   string `json:"action,omitempty"` // "announce", "scrape"
	Infohash binary `json:"info_hash,omitempty"`
	PeerID   binary `json:"peer_id,omitempty"`

	// Of an announce.
	Event      string  `json:"event,omitempty"`
	Uploaded   *number `json:"uploaded,omitempty"`
	Downloaded *number `json:"downloaded,omitempty"`
	Left       *number `json:"left,omitempty"`
	Numwant    *number `json:"numwant,omitempty"`
	Offers     []offer `json:"offers,omitempty"`
	TrackerID  text    `json:"trackerid,omitempty"`

	// Of an offer or answer on its way.
	Offer    *description `json:"offer,omitempty"`
	Answer   *description `json:"answer,omitempty"`
	OfferID  binary       `json:"offer_id,omitempty"`
	ToPeerID binary       `json:"to_peer_id,omitempty"`

	// Of a tracker's response.
	Interval    *number `json:"interval,omitempty"`
	MinInterval *number `json:"min interval,omitempty"`
	Complete    *number `json:"complete,omitempty"`
	Incomplete  *number `json:"incomplete,omitempty"`
	Failure     text    `json:"failure reason,omitempty"`
	Warning     text    `json:"warning message,omitempty"`
	GivenID     text    `json:"tracker id,omitempty"`
	RetryIn     text    `json:"retry in,omitempty"` // BEP 31: minutes or "never"
}

// offer is one of an announce's offers.
type offer struct {
	OfferID binary      `json:"offer_id"`
	Offer   description `json:"offer"`
}

// description is a session description (W3C WebRTC §4.7.2).
type description struct {
	Type string `json:"type"`
	SDP  string `json:"sdp"`
}

// parseMessage parses what a tracker sent. It refuses descriptions of the wrong type and of more
// than maxSDP bytes.
func parseMessage(data []byte) (*message, error) {
	if len(data) > maxTrackerMessage {
		return nil, fmt.Errorf("tracker message of %d bytes is too large", len(data))
	}
	m := new(message)
	if err := json.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("parsing tracker message: %w", err)
	}
	if err := errors.Join(m.Offer.check("offer"), m.Answer.check("answer")); err != nil {
		return nil, err
	}
	if len(m.Offers) == 0 {
		m.Offers = nil
	}
	if len(m.Offers) > maxOffersPerSwarm {
		return nil, fmt.Errorf("tracker message with %d offers", len(m.Offers))
	}
	for i := range m.Offers {
		if err := m.Offers[i].Offer.check("offer"); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// encode is the reverse of parseMessage.
func (m *message) encode() ([]byte, error) {
	data, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encoding tracker message: %w", err)
	}
	return data, nil
}

func (d *description) check(kind string) error {
	switch {
	case d == nil:
		return nil
	case d.Type != kind:
		return fmt.Errorf("description of type %.20q where %s belongs", d.Type, kind)
	case d.SDP == "" || len(d.SDP) > maxSDP:
		return fmt.Errorf("description of %d bytes", len(d.SDP))
	}
	return nil
}

// binary is bytes as a JSON string in which each character is a byte (ISO 8859-1).
type binary []byte

const maxBinary = 64 // bytes; infohashes, peer ids and offer ids have 20

// MarshalJSON writes a byte as a character.
func (b binary) MarshalJSON() ([]byte, error) {
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return json.Marshal(string(runes))
}

// UnmarshalJSON refuses what no bytes can have been.
func (b *binary) UnmarshalJSON(data []byte) error {
	var s *string
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("parsing binary string: %w", err)
	}
	*b = nil
	if s == nil {
		return nil
	}
	for _, r := range *s {
		if r > 0xff {
			return errors.New("binary string has a character over U+00FF")
		}
		if len(*b) == maxBinary {
			return fmt.Errorf("binary string of more than %d bytes", maxBinary)
		}
		*b = append(*b, byte(r))
	}
	return nil
}

// id is the bytes as an infohash or peer id; false if they are not 20.
func (b binary) id() (id [20]byte, ok bool) {
	return id, copy(id[:], b) == len(id) && len(b) == len(id)
}

// number is a whole number, or what some trackers send in its place: a fraction, or digits in a
// string. What is no number at all counts as 0, and a number that a JavaScript number cannot hold
// exactly is cut to the largest that it can.
type number int64

const maxNumber = 1 << 53

// UnmarshalJSON never fails.
func (n *number) UnmarshalJSON(data []byte) error {
	s := strings.Trim(string(data), `"`)
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange), math.IsNaN(f):
		*n = 0
	default:
		*n = number(min(max(f, -maxNumber), maxNumber))
	}
	return nil
}

func (n *number) value() int64 {
	if n == nil {
		return 0
	}
	return int64(*n)
}

func newNumber(v int64) *number {
	n := number(v)
	return &n
}

// text is a string for people, or for the tracker to have back: cut to maxText bytes. A number
// becomes its digits.
type text string

// UnmarshalJSON takes strings and numbers, and leaves anything else empty.
func (t *text) UnmarshalJSON(data []byte) error {
	data = bytes.TrimSpace(data)
	*t = ""
	switch {
	case len(data) == 0:
	case data[0] == '"':
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return fmt.Errorf("parsing text: %w", err)
		}
		*t = text(strings.ToValidUTF8(s[:min(len(s), maxText)], ""))
	case data[0] == '-' || (data[0] >= '0' && data[0] <= '9'):
		*t = text(data[:min(len(data), maxText)])
	}
	return nil
}
