// SPDX-License-Identifier: AGPL-3.0-or-later

package control

import (
	"bytes"
	"reflect"
	"testing"
)

// What parses is written and parses again to the same.
func FuzzParseMessage(f *testing.F) {
	for _, seed := range []string{
		`{"run":{"args":["status"],"cwd":"/","env":{"SHOAL_JSON":"1"},"terminal":true}}`,
		`{"open":{"argument":"magnet:?xt=urn:btih:0"}}`, `{"cancel":true}`, `{}`, `{"run":{},"cancel":true}`, `[]`, `{"run":{"args":null}} x`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		m, err := parseMessage(line)
		if err != nil {
			return
		}
		roundTrip(t, m, parseMessage)
	})
}

// What parses is written and parses again to the same.
func FuzzParseFrame(f *testing.F) {
	for _, seed := range []string{`{"stdout":"aGk="}`, `{"stderr":"aGk="}`, `{"exit":0}`, `{"exit":-1,"stdout":""}`, `{"exit":1,"stdout":"aGk="}`, `{}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		fr, err := parseFrame(line)
		if err != nil {
			return
		}
		fr.Stdout, fr.Stderr = bytes.Clone(fr.Stdout), bytes.Clone(fr.Stderr)
		if len(fr.Stdout) == 0 {
			fr.Stdout = nil
		}
		if len(fr.Stderr) == 0 {
			fr.Stderr = nil
		}
		roundTrip(t, fr, parseFrame)
	})
}

func roundTrip[T any](t *testing.T, v T, parse func([]byte) (T, error)) {
	t.Helper()
	var buf bytes.Buffer
	if err := writeLine(&buf, v); err != nil {
		return // larger than a line once written
	}
	line, err := readLine(newReader(&buf))
	if err != nil {
		t.Fatalf("reading what was written: %v", err)
	}
	again, err := parse(line)
	if err != nil {
		t.Fatalf("parsing what was written: %v", err)
	}
	if m, ok := any(v).(message); ok && m.Run != nil {
		if len(m.Run.Env) == 0 {
			m.Run.Env = nil
		}
	}
	if !reflect.DeepEqual(v, again) {
		t.Fatalf("%+v became %+v", v, again)
	}
}
