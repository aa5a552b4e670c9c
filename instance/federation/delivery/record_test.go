// SPDX-License-Identifier: AGPL-3.0-or-later

package delivery

import (
	"bytes"
	"reflect"
	"testing"
)

func TestRecords(t *testing.T) {
	e := entry{order: orderHash("x"), created: 5, next: -1, last: 1 << 50, tries: 9, own: 3, ownWait: true, inboxes: []string{
		"https://a.example/inbox", "http://a.example/x", "https://A.example/inbox", "https://a.example.org/", "",
	}}
	got, err := decodeEntry("a.example", e.encode("a.example"))
	if err != nil || !reflect.DeepEqual(got, e) {
		t.Errorf("%+v, %v", got, err)
	}
	m := message{id: "i", actor: "a", coalesce: "c", created: 7, until: 9, body: []byte("body")}
	gotM, err := decodeMessage(m.encode())
	if err != nil || !reflect.DeepEqual(*gotM, m) {
		t.Errorf("%+v, %v", gotM, err)
	}
	old := append([]byte{format}, m.encode()[1:]...)
	old = append(old[:len(old)-len("body")-1], "body"...) // without its end
	m.until = 0
	if gotM, err = decodeMessage(old); err != nil || !reflect.DeepEqual(*gotM, m) {
		t.Errorf("%+v, %v", gotM, err)
	}
	h := health{fails: 3, next: 9, lastError: "x"}
	gotH, err := decodeHealth(h.encode())
	if err != nil || gotH != h {
		t.Errorf("%+v, %v", gotH, err)
	}
	host, seq, err := splitKey(entryKey("a.example:80", 1<<40))
	if err != nil || host != "a.example:80" || seq != 1<<40 {
		t.Error(host, seq, err)
	}
	if orderHash("") != 0 || orderHash("a") == orderHash("b") {
		t.Error("orders")
	}
}

// What reads, writes and reads again to the same; a record that is cut short does not read.
func FuzzRecords(f *testing.F) {
	e := entry{order: 1, created: 5, inboxes: []string{"https://a.example/inbox", "x"}}
	f.Add(e.encode("a.example"))
	f.Add((&message{id: "i", body: []byte("b")}).encode())
	f.Add((&health{fails: 1}).encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if e, err := decodeEntry("a.example", b); err == nil {
			again, err := decodeEntry("a.example", e.encode("a.example"))
			if err != nil || !reflect.DeepEqual(e, again) {
				t.Errorf("%+v, %+v, %v", e, again, err)
			}
			if _, err := decodeEntry("a.example", b[:len(b)-1]); err == nil {
				t.Error("a cut entry reads")
			}
		}
		if m, err := decodeMessage(b); err == nil {
			again, err := decodeMessage(m.encode())
			if err != nil || m.id != again.id || !bytes.Equal(m.body, again.body) {
				t.Errorf("%+v, %+v, %v", m, again, err)
			}
		}
		if h, err := decodeHealth(b); err == nil {
			if again, err := decodeHealth(h.encode()); err != nil || again != h {
				t.Errorf("%+v, %+v, %v", h, again, err)
			}
		}
		if host, seq, err := splitKey(b); err == nil && !bytes.Equal(entryKey(host, seq), b) {
			t.Errorf("key %x", b)
		}
	})
}
