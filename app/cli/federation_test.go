// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"shoal/app/config"
)

func TestFederationCommandsNeedAnInstance(t *testing.T) {
	for _, args := range [][]string{
		{"follow", "video.example"},
		{"unfollow", "video.example"},
		{"approve", "video.example"},
		{"reject", "ann@video.example"},
		{"block", "video.example"},
		{"unblock", "video.example"},
		{"blocks"},
		{"blacklist", "list"},
		{"blacklist", "add", "video.example"},
		{"followers"},
		{"following"},
		{"videos", "--origin", "remote"},
		{"queue"},
		{"queue", "--retry", "all"},
		{"refused"},
		{"policy"},
		{"policy", "--follow-back", "on"},
		{"policy", "--followers", "reject"},
		{"edit", "https://video.example/w/abc", "--title", "New"},
		{"delete", "https://video.example/w/abc"},
		{"like", "https://video.example/w/abc"},
		{"dislike", "https://video.example/w/abc", "--as", "ann"},
		{"unrate", "https://video.example/w/abc"},
		{"comment", "https://video.example/w/abc", "Well said"},
		{"comments", "https://video.example/w/abc"},
		{"account", "list"},
		{"channel", "add", "films"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			code, stdout, stderr := call(t, nil, append(args, "--json", "--data", t.TempDir())...)
			list := events(t, stdout)
			if code != 1 || len(list) != 1 || list[0]["code"] != "noInstance" || strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
			}
		})
	}
}

func TestFederationWrongUsageIs2(t *testing.T) {
	for _, args := range [][]string{
		{"follow"},
		{"follow", "a", "b"},
		{"follow", "a", "--wait", "soon"},
		{"blacklist"},
		{"blacklist", "add"},
		{"videos", "--origin", "here"},
		{"videos", "--count", "-1"},
		{"policy", "--follow-back", "maybe"},
		{"policy", "--followers", "some"},
		{"policy", "--drop-existing"},
		{"policy", "--followers", "accept", "--drop-existing"},
		{"policy", "--followers", "reject", "--drop-existing", "--keep-existing"},
		{"edit", "x"},
		{"edit", "x", "--tag", "a", "--no-tags"},
		{"comment", "x"},
		{"comment", "x", " "},
		{"blocks", "--import", "a", "--export", "b"},
		{"blocks", "--export", "-", "--json"},
		{"blocks", "--export", "a", "--format", "xml"},
		{"refused", "--count", "0"},
		{"account"},
		{"account", "add"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			code, stdout, stderr := call(t, nil, append(args, "--data", t.TempDir())...)
			if code != 2 || strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
			}
		})
	}
}

func TestRejectingAllAsksAboutThoseThere(t *testing.T) {
	paths := config.Paths{Data: t.TempDir()}
	if err := os.WriteFile(filepath.Join(paths.Data, "instance.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		answer string
		drop   bool
	}{"yes": {"y\n", true}, "no": {"n\n", false}, "nothing": {"", false}} {
		t.Run(name, func(t *testing.T) {
			var stderr strings.Builder
			out := &output{stdout: &strings.Builder{}, stderr: &stderr}
			r := &run{out: out, paths: paths, env: Env{Stdin: strings.NewReader(test.answer)}}
			c := policyCommand{Followers: "reject"}
			if err := c.prepare(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			forwarded := len(r.env.Args) == 1 && r.env.Args[0] == "--drop-existing"
			if c.DropExisting != test.drop || forwarded != test.drop || !strings.Contains(stderr.String(), "Turn away") {
				t.Errorf("drop %v, arguments %v, stderr %q", c.DropExisting, r.env.Args, stderr.String())
			}
		})
	}
	t.Run("nobody to ask", func(t *testing.T) {
		var stderr strings.Builder
		r := &run{out: &output{stdout: &strings.Builder{}, stderr: &stderr}, paths: paths}
		c := policyCommand{Followers: "reject"}
		if err := c.prepare(t.Context(), r); err != nil || c.DropExisting || !strings.Contains(stderr.String(), "stay") {
			t.Errorf("drop %v, %v, stderr %q", c.DropExisting, err, stderr.String())
		}
	})
}
