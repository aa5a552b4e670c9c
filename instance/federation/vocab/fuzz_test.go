// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
)

func seed(f *testing.F) {
	f.Helper()
	for _, name := range captures(f) {
		f.Add(readFile(f, name))
	}
	f.Add(readFile(f, "video-8.json"))
	f.Add(readFile(f, "actor-8.json"))
	for _, s := range []string{
		`{"type":["Note"],"id":"https://a.b/1","attributedTo":[{"id":"https://a.b/2"},3,""],"content":5,"inReplyTo":{"type":"Link","href":"https://x.y"},"to":"x"}`,
		`{"type":"CollectionPage","items":[],"orderedItems":["a"],"totalItems":-1,"first":{}}`,
		`{"type":"Flag","id":"https://a.b/1","actor":{"id":"https://a.b/2"},"object":["a",{"b":1}],"tag":"x","startAt":1.5}`,
		`{"id":"https://a.b/1","hasPart":{"name":"x","startOffset":"0","endOffset":1e3}}`,
		`{"type":"Tombstone","id":"https://a.b/1","deleted":"2026-11-22T16:26:11.123456+01:00"}`,
	} {
		f.Add([]byte(s))
	}
}

// sameAgain holds the invariant: what was read, is written and read again to the same.
func sameAgain[T any, P interface {
	*T
	json.Marshaler
}](t *testing.T, data []byte, parse func([]byte) (P, error)) {
	t.Helper()
	first, err := parse(data)
	if err != nil {
		return
	}
	out, err := first.MarshalJSON()
	if err != nil {
		t.Fatalf("writing what was read: %v", err)
	}
	if len(out) > MaxBytes {
		return // Written times and numbers may be longer than those read.
	}
	second, err := parse(out)
	if err != nil {
		t.Fatalf("reading what was written: %v\n%s", err, out)
	}
	if !reflect.DeepEqual(first, second) {
		t.Fatalf("read\n%#v\nagain\n%#v\nwritten %s", first, second, out)
	}
	again, err := second.MarshalJSON()
	if err != nil || !bytes.Equal(out, again) {
		t.Fatalf("written\n%s\nagain\n%s\n%v", out, again, err)
	}
}

func FuzzActivity(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		sameAgain(t, data, ParseActivity)
		if a, err := ParseActivity(data); err == nil {
			_, _ = a.Viewers()
			a.Object.Embedded()
		}
	})
}

func FuzzVideo(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		sameAgain(t, data, ParseVideo)
		v, err := ParseVideo(data)
		if err != nil {
			return
		}
		for _, file := range v.Files() {
			if file.Infohash != "" && len(file.Infohash) != 40 || file.FPS < -1 || file.Size < 0 {
				t.Fatalf("file %+v", file)
			}
		}
		// What is built from the parts reads back as the parts.
		rebuilt := *v
		rebuilt.Links = []Link{PageLink(v.HTMLPage())}
		for _, p := range v.Playlists() {
			rebuilt.Links = append(rebuilt.Links, PlaylistLink(p))
		}
		for _, tr := range v.Trackers() {
			rebuilt.Links = append(rebuilt.Links, TrackerLink(tr))
		}
		if !reflect.DeepEqual(v.Trackers(), rebuilt.Trackers()) || len(v.Playlists()) != len(rebuilt.Playlists()) {
			t.Fatal("links read back differently")
		}
	})
}

func FuzzActor(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) { sameAgain(t, data, ParseActor) })
}

func FuzzNote(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) { sameAgain(t, data, ParseNote) })
}

func FuzzOther(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		sameAgain(t, data, ParseCollection)
		sameAgain(t, data, ParseCacheFile)
		sameAgain(t, data, ParseChapters)
		sameAgain(t, data, ParseTombstone)
	})
}

func FuzzDuration(f *testing.F) {
	for _, s := range []string{"PT62S", "PT1M2S", "P1DT2H", "PT12.5S", "PT", "P", "-PT1S"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, ok := ParseDuration(s)
		if !ok {
			return
		}
		again, ok := ParseDuration(FormatDuration(d))
		if !ok || again != d || d < 0 {
			t.Fatalf("%q: %v, again %v", s, d, again)
		}
	})
}
