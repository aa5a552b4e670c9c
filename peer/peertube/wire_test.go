// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// capture is an answer of a PeerTube 7.0.1 as testdata/ keeps it.
type capture struct {
	Request string            `json:"request"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
}

func readCapture(t testing.TB, name string) capture {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var c capture
	if err := json.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func readVideo(t testing.TB, name string) VideoDetails {
	t.Helper()
	var v VideoDetails
	if err := json.Unmarshal(readCapture(t, name).Body, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// What PeerTube says is read and written without losing or adding a key.
func TestWireTypesWriteWhatTheyRead(t *testing.T) {
	for name, v := range map[string]any{
		"config.json":               &Config{},
		"videos.json":               &VideoList{},
		"videos-sorted.json":        &VideoList{},
		"search-videos.json":        &VideoList{},
		"account-videos.json":       &VideoList{},
		"video-channel-videos.json": &VideoList{},
		"video.json":                &VideoDetails{},
		"video-remote-on-2.json":    &VideoDetails{},
		"video-hls-only.json":       &VideoDetails{},
		"video-channel.json":        &Channel{},
		"account.json":              &Account{},
		"video-404.json":            &Problem{},
		"video-bad-id.json":         &Problem{},
	} {
		t.Run(name, func(t *testing.T) {
			body := readCapture(t, name).Body
			if err := json.Unmarshal(body, v); err != nil {
				t.Fatal(err)
			}
			out, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			var want, got any
			if err := json.Unmarshal(body, &want); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatal(err)
			}
			for _, d := range diff("", want, got) {
				t.Error(d)
			}
		})
	}
}

// diff lists where two JSON values differ.
func diff(path string, want, got any) []string {
	w, okW := want.(map[string]any)
	g, okG := got.(map[string]any)
	if okW && okG {
		var out []string
		for k := range w {
			if _, ok := g[k]; !ok {
				out = append(out, path+"."+k+" is missing")
				continue
			}
			out = append(out, diff(path+"."+k, w[k], g[k])...)
		}
		for k := range g {
			if _, ok := w[k]; !ok {
				out = append(out, path+"."+k+" is added")
			}
		}
		return out
	}
	a, okA := want.([]any)
	b, okB := got.([]any)
	if okA && okB && len(a) == len(b) {
		var out []string
		for i := range a {
			out = append(out, diff(path+"[]", a[i], b[i])...)
		}
		return out
	}
	if !reflect.DeepEqual(want, got) {
		return []string{path + " differs"}
	}
	return nil
}

func TestReadingIsTolerant(t *testing.T) {
	var v VideoDetails
	odd := `{"id":"12","uuid":"u","duration":12.9,"views":null,"likes":{},"nsfw":"yes","name":7,
		"aspectRatio":"1.5","files":{"a":1},"streamingPlaylists":[{"files":null},null,3],"tags":["a",5,"b"],
		"publishedAt":17,"createdAt":"2026-11-22T16:30:59.023+01:00","account":null,"channel":[],
		"category":null,"somethingNew":{"x":[1]}}`
	if err := decodeLenient([]byte(odd), &v); err != nil {
		t.Fatal(err)
	}
	if v.ID != 12 || v.Duration != 12 || v.Views != 0 || v.AspectRatio != 1.5 || v.UUID != "u" {
		t.Errorf("numbers read as %d, %d, %d, %v", v.ID, v.Duration, v.Views, v.AspectRatio)
	}
	if len(v.Files) != 0 || len(v.StreamingPlaylists) != 3 || len(v.Tags) != 3 || v.Tags[2] != "b" {
		t.Errorf("lists read as %v, %v, %v", v.Files, v.StreamingPlaylists, v.Tags)
	}
	if want := time.Date(2026, 11, 22, 15, 30, 59, 23e6, time.UTC); !v.CreatedAt.Equal(want) || !v.PublishedAt.IsZero() {
		t.Errorf("times read as %v and %v", v.CreatedAt, v.PublishedAt)
	}
	if err := decodeLenient([]byte("<html>"), &v); err == nil {
		t.Error("HTML was read as JSON")
	}
}

func TestEmptyVideoIsWrittenInPeerTubesShape(t *testing.T) {
	b, err := json.Marshal(VideoDetails{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"files":[]`, `"streamingPlaylists":[]`, `"tags":[]`, `"trackerUrls":[]`, `"avatars":[]`,
		`"description":null`, `"originallyPublishedAt":null`, `"category":{"id":null`,
	} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%s is not in %s", want, b)
		}
	}
}

func TestTimeIsCutToMilliseconds(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_901_234, time.FixedZone("", 3600))
	b, err := json.Marshal(NewTime(at))
	if err != nil || string(b) != `"2026-01-02T02:04:05.678Z"` {
		t.Fatalf("%s, %v", b, err)
	}
	var back Time
	if err := json.Unmarshal(b, &back); err != nil || back != NewTime(at) {
		t.Fatalf("read back as %v, %v", back, err)
	}
}
