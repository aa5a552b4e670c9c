// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// parseAny reads a document with the parser of its type.
func parseAny(data []byte) (json.Marshaler, error) {
	kind, _, err := Kind(data)
	if err != nil {
		return nil, err
	}
	switch kind {
	case "Video":
		return ptr(ParseVideo(data))
	case "Note":
		return ptr(ParseNote(data))
	case "CacheFile":
		return ptr(ParseCacheFile(data))
	case "Tombstone":
		return ptr(ParseTombstone(data))
	case "Person", "Group", "Application", "Service", "Organization":
		return ptr(ParseActor(data))
	case "Collection", "OrderedCollection", "CollectionPage", "OrderedCollectionPage":
		return ptr(ParseCollection(data))
	case "":
		return ptr(ParseChapters(data))
	default:
		return ptr(ParseActivity(data))
	}
}

func ptr[T json.Marshaler](v T, err error) (json.Marshaler, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func captures(t testing.TB) []string {
	t.Helper()
	var out []string
	for _, pattern := range []string{"testdata/activities/*.json", "testdata/objects/*.json"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			out = append(out, strings.TrimPrefix(f, "testdata/"))
		}
	}
	if len(out) < 60 {
		t.Fatalf("%d captures", len(out))
	}
	return out
}

// plain decodes JSON and drops members that are null.
func plain(t testing.TB, data []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return dropNulls(v)
}

func dropNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			if member == nil {
				delete(v, key)
				continue
			}
			v[key] = dropNulls(member)
		}
	case []any:
		for i := range v {
			v[i] = dropNulls(v[i])
		}
	}
	return v
}

func TestCapturesComeBackWhole(t *testing.T) {
	for _, name := range captures(t) {
		t.Run(name, func(t *testing.T) {
			data := readFile(t, name)
			v, err := parseAny(data)
			if err != nil {
				t.Fatal(err)
			}
			out, err := v.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			if got, want := plain(t, out), plain(t, data); !reflect.DeepEqual(got, want) {
				t.Errorf("came back as\n%s\nfrom\n%s", out, data)
			}
			viaEncoder, err := json.Marshal(v)
			if err != nil || !reflect.DeepEqual(plain(t, viaEncoder), plain(t, out)) {
				t.Errorf("json.Marshal writes another object: %v", err)
			}
		})
	}
}

func TestEmbeddedObjectsComeBackWhole(t *testing.T) {
	for _, name := range captures(t) {
		if !strings.HasPrefix(name, "activities/") {
			continue
		}
		a, err := ParseActivity(readFile(t, name))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if a.Signature == nil && name != "activities/Flag-1.json" {
			t.Errorf("%s: no signature", name)
		}
		if !a.Object.Embedded() || strings.Contains(name, "Playlist") || strings.Contains(name, "WatchAction") {
			continue
		}
		v, err := parseAny(a.Object.Raw)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out, err := v.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(plain(t, out), plain(t, a.Object.Raw)) {
			t.Errorf("%s: the object came back as\n%s\nfrom\n%s", name, out, a.Object.Raw)
		}
	}
}

func TestContextsAreTheCapturedOnes(t *testing.T) {
	for name, objectType := range map[string]string{
		"activities/Create-Video-1.json":        "Video",
		"activities/Update-Video-1.json":        "Video",
		"activities/Create-CacheFile-1.json":    "CacheFile",
		"activities/View-1.json":                "View",
		"activities/ApproveReply-1.json":        "ApproveReply",
		"activities/Follow-1.json":              "Follow",
		"activities/Delete-1.json":              "",
		"activities/Update-Person-1.json":       "Person",
		"objects/actor-application.json":        "Application",
		"objects/actor-channel-alice.json":      "Group",
		"objects/video-chapters.json":           "Chapters",
		"objects/video-likes.json":              "OrderedCollection",
		"objects/actor-account-alice.json":      "Person",
		"objects/bob-like-dereference.json":     "Like",
		"objects/comment-dereference-on-2.json": "Note",
	} {
		var captured struct {
			Context []any `json:"@context"`
		}
		if err := json.Unmarshal(readFile(t, name), &captured); err != nil {
			t.Fatal(err)
		}
		var ours []any
		if err := json.Unmarshal(Context(objectType), &ours); err != nil {
			t.Fatalf("%s: %v", objectType, err)
		}
		if objectType == "Note" { // Ours knows hashtags as well.
			delete(ours[3].(map[string]any), "Hashtag")
		}
		if !reflect.DeepEqual(ours, captured.Context) {
			t.Errorf("context of %q differs from %s", objectType, name)
		}
	}
}
