// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build !windows

// The stand-ins for programs are shell scripts.

package handoff

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestOpenWith(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	script := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	script("broken", "exit 3\n")
	script("good", `printf '%s\n' "$@" > `+out+".new && mv "+out+".new "+out+"\nexec sleep 2\n")
	look := func(name string) (string, error) { return exec.LookPath(filepath.Join(dir, name)) }
	list := []candidate{{name: "absent"}, {name: "broken"}, {name: "good", args: []string{"--"}}}
	const address = "http://127.0.0.1:1/a%20b/x.mp4?$(id)"
	program, err := openWith(t.Context(), address, list, look)
	if err != nil || program != "good" {
		t.Fatalf("%q, %v", program, err)
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		got, err := os.ReadFile(out)
		if err == nil {
			if string(got) != "--\n"+address+"\n" {
				t.Errorf("arguments %q", got)
			}
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}

	if _, err := openWith(t.Context(), address, list[:1], look); !errors.Is(err, ErrNoProgram) {
		t.Errorf("none there: %v", err)
	}
	if _, err := openWith(t.Context(), address, list[:2], look); !errors.Is(err, ErrNoProgram) || !strings.Contains(err.Error(), "broken") {
		t.Errorf("none works: %v", err)
	}
	for _, bad := range []string{"", "file:///etc/passwd", "-x", "http://", "\x00"} {
		if _, err := openWith(t.Context(), bad, list, look); err == nil {
			t.Errorf("%q was opened", bad)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := openWith(ended, address, list, look); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
}

func FuzzFileName(f *testing.F) {
	for _, s := range []string{"", "..", "a/b.mp4", `C:\x.webm`, "ü ö.mkv", "x.html", strings.Repeat("a", 500) + ".mp4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name := fileName(s)
		if name == "" || len(name) > maxName || name != path.Clean(name) || strings.ContainsAny(name, "/\\%? ") || name[0] == '.' {
			t.Errorf("%q gives %q", s, name)
		}
		if again := fileName(name); again != name {
			t.Errorf("%q gives %q, which gives %q", s, name, again)
		}
		if c := contentType(name); strings.HasPrefix(c, "text/") || strings.Contains(c, "html") || strings.Contains(c, "svg") {
			t.Errorf("%q is served as %s", name, c)
		}
	})
}
