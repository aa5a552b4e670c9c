// SPDX-License-Identifier: AGPL-3.0-or-later

package publish

import (
	"strings"
	"testing"
)

func TestTitledAfterTheName(t *testing.T) {
	for path, want := range map[string]string{
		"/a/b/A_talk__of 2026-11-28.v2.mp4": "A talk of 2026-11-28.v2",
		"x.webm":                            "Video x",
		"___.mp4":                           "Video",
		"a\xffb\ncd.mp4":                    "a b cd",
		strings.Repeat("é", 300) + ".mov":   strings.Repeat("é", maxTitle),
	} {
		if got := Titled(path); got != want || CheckText(got, "", nil) != nil {
			t.Errorf("%q: %q", path, got)
		}
	}
}

func TestWhatIsPublishable(t *testing.T) {
	for name, want := range map[string]bool{"a.mp4": true, "a.WebM": true, "a.mp4.part": false, "a.mkv": false, "mp4": false} {
		if Is(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}
