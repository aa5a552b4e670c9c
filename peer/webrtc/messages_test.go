// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestBinaryStringsAreLatin1(t *testing.T) {
	all := make([]byte, 0, maxBinary)
	for i := range maxBinary {
		all = append(all, byte(i*4+3))
	}
	data, err := json.Marshal(binary(all))
	if err != nil {
		t.Fatal(err)
	}
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	for i, r := range []rune(s) {
		if r != rune(all[i]) {
			t.Fatalf("character %d is %U, want the byte %#x", i, r, all[i])
		}
	}
	var back binary
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(back, all) {
		t.Fatalf("got %x back, want %x", back, all)
	}
}

func TestTrackerMessagesOfEveryKindParse(t *testing.T) {
	ih := strings.Repeat("\\u00e9", 20)
	for name, c := range map[string]struct {
		in    string
		check func(*message) bool
	}{
		"response": {
			`{"action":"announce","interval":120,"info_hash":"` + ih + `","complete":3,"incomplete":4}`,
			func(m *message) bool {
				id, ok := m.Infohash.id()
				return ok && id[0] == 0xe9 && m.Interval.value() == 120 && m.Complete.value() == 3 && m.Incomplete.value() == 4
			},
		},
		"odd numbers": {
			`{"interval":"90","min interval":-1e300,"complete":2.9,"incomplete":{}}`,
			func(m *message) bool {
				return m.Interval.value() == 90 && m.MinInterval.value() == -maxNumber && m.Complete.value() == 2 && m.Incomplete.value() == 0
			},
		},
		"failure": {
			`{"failure reason":"go away","retry in":5}`,
			func(m *message) bool { return m.Failure == "go away" && m.RetryIn == "5" },
		},
		"warning": {
			`{"warning message":"slow down","tracker id":"abc"}`,
			func(m *message) bool { return m.Warning == "slow down" && m.GivenID == "abc" },
		},
		"offer": {
			`{"action":"announce","offer":{"type":"offer","sdp":"v=0"},"offer_id":"x","peer_id":"` + ih + `"}`,
			func(m *message) bool { return m.Offer != nil && m.Offer.SDP == "v=0" },
		},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := parseMessage([]byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			if !c.check(m) {
				t.Fatalf("parsed to %+v", m)
			}
		})
	}
}

func TestBadTrackerMessagesAreRefused(t *testing.T) {
	for name, in := range map[string]string{
		"no JSON":            `<html>`,
		"wide character":     `{"info_hash":"\u0100"}`,
		"lone surrogate":     `{"info_hash":"\ud800"}`,
		"long id":            `{"peer_id":"` + strings.Repeat("a", maxBinary+1) + `"}`,
		"answer as offer":    `{"offer":{"type":"answer","sdp":"v=0"}}`,
		"empty description":  `{"answer":{"type":"answer"}}`,
		"large description":  `{"offer":{"type":"offer","sdp":"` + strings.Repeat("a", maxSDP+1) + `"}}`,
		"too large in whole": `{"action":"` + strings.Repeat("a", maxTrackerMessage) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			if m, err := parseMessage([]byte(in)); err == nil {
				t.Fatalf("parsed to %+v", m)
			}
		})
	}
}

// FuzzParseMessage: what parses, encodes, and parses again to the same.
func FuzzParseMessage(f *testing.F) {
	for _, s := range []string{
		`{"action":"announce","info_hash":"01234567890123456789","interval":120,"complete":0,"incomplete":1}`,
		`{"action":"announce","offer":{"type":"offer","sdp":"v=0\r\n"},"offer_id":"\u0000\u00ff","peer_id":"x"}`,
		`{"answer":{"type":"answer","sdp":"v=0"},"to_peer_id":"y"}`,
		`{"offers":[{"offer":{"type":"offer","sdp":"a"},"offer_id":"z"}],"numwant":5,"left":null,"event":"started"}`,
		`{"failure reason":"no","retry in":"never","tracker id":7,"warning message":"\ud800"}`,
		`{"interval":1e400,"complete":"-0x1p-2","downloaded":[],"uploaded":"NaN"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseMessage(data)
		if err != nil {
			return
		}
		encoded, err := m.encode()
		if err != nil {
			t.Fatalf("encoding %+v: %v", m, err)
		}
		if len(encoded) > maxTrackerMessage {
			return // escapes made it longer than what is accepted
		}
		again, err := parseMessage(encoded)
		if err != nil {
			t.Fatalf("parsing %s again: %v", encoded, err)
		}
		if !reflect.DeepEqual(m, again) {
			t.Fatalf("%s parsed to %+v, then to %+v", data, m, again)
		}
	})
}
