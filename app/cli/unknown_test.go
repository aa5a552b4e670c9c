// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"strings"
	"testing"
)

func TestUnknownCommandsAre2(t *testing.T) {
	for line, want := range map[string]string{
		"folow":               "unknown command folow, did you mean follow?",
		"folow video.example": "unknown command folow, did you mean follow?",
		"--json folow --all":  "unknown command folow, did you mean follow?",
		"zebrafish":           "unknown command zebrafish: see shoal --help",
		"doctor":              "doctor is not in this version yet",
		"verify":              "verify is not in this version yet",
		"compact":             "compact is not in this version yet",
		"backup file.zip":     "backup is not in this version yet",
		"restore file.zip":    "restore is not in this version yet",
	} {
		t.Run(line, func(t *testing.T) {
			code, stdout, stderr := call(t, nil, append([]string{"--data", t.TempDir()}, words(line)...)...)
			if code != 2 || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit code %d, stderr %q", code, stderr)
			}
			for _, e := range events(t, stdout) {
				if e["code"] != "usage" {
					t.Errorf("got %v", e)
				}
			}
		})
	}
}

func TestDistance(t *testing.T) {
	for _, x := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"folow", "follow", 1}, {"kitten", "sitting", 3}, {"wacth", "watch", 2}} {
		if got := distance(x.a, x.b); got != x.want {
			t.Errorf("%q to %q: %d, want %d", x.a, x.b, got, x.want)
		}
	}
}
