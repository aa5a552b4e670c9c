// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// call runs a command as a process would.
func call(t *testing.T, variables map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return callContext(t.Context(), t, variables, args...)
}

func callContext(ctx context.Context, t *testing.T, variables map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Run(ctx, Env{Args: args, Stdout: &out, Stderr: &errs, Variables: variables, Cwd: t.TempDir()})
	return code, out.String(), errs.String()
}

// events reads JSON lines; anything else on stdout fails the test.
func events(t *testing.T, stdout string) []map[string]any {
	t.Helper()
	var list []map[string]any
	for line := range strings.Lines(stdout) {
		var e map[string]any
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("stdout holds %q: %v", line, err)
		}
		if e["event"] == nil {
			t.Errorf("%q has no event", line)
		}
		list = append(list, e)
	}
	return list
}

func TestWrongUsageIs2(t *testing.T) {
	for _, args := range [][]string{
		{"publish", "x"},
		{"publish", "--title", "T"},
		{"publish", "x", "--title", "T", "--privacy", "secret"},
		{"status", "extra"},
		{"--nonsense"},
		{"watch"},
		{"watch", "x", "--timeout", "soon"},
		{"watch", "x", "--headless", "--sources", "carrier-pigeon"},
		{"watch", "x", "--quality", "tall"},
		{"seed"},
		{"watch", "x", "--from", "3"},
		{"watch", "x", "--out", "-", "--json"},
		{"--log-level", "loud", "version"},
		{"serve", "--listen", "127.0.0.1:http"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			code, stdout, stderr := call(t, nil, append(args, "--data", t.TempDir())...)
			if code != 2 || strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit code %d, stderr %q", code, stderr)
			}
			for _, e := range events(t, stdout) {
				if e["event"] != "error" || e["code"] != "usage" {
					t.Errorf("got %v", e)
				}
			}
		})
	}
}

func TestFailureIs1WithOneLineAndAnEvent(t *testing.T) {
	for _, test := range []struct {
		name, code string
		args       []string
	}{
		{"publish without an instance", "noInstance", []string{"publish", "x.mp4", "--title", "T"}},
		{"magnet without infohash", "badInput", []string{"watch", "magnet:?dn=x"}},
		{"missing torrent file", "notFound", []string{"watch", "./none.torrent"}},
		{"bad address", "badURL", []string{"watch", "ftp://x.example/y"}},
		{"nobody listens", "unreachable", []string{"watch", "http://127.0.0.1:1/videos/watch/2b5b0e2f-1c0e-4b46-8d9b-1d5c5b5b5b5b"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := call(t, nil, append(test.args, "--json", "--data", t.TempDir())...)
			list := events(t, stdout)
			if code != 1 || strings.Count(stderr, "\n") != 1 || len(list) != 1 {
				t.Fatalf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
			}
			if e := list[0]; e["event"] != "error" || e["code"] != test.code || !strings.Contains(stderr, e["message"].(string)) {
				t.Errorf("got %v", e)
			}
		})
	}
}

func TestFilesThatAreNoVideo(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"text.mp4": "hello, this is text", "empty.mp4": "", "bad.torrent": "d8:announce"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			code, _, stderr := call(t, nil, "watch", "--headless", filepath.Join(dir, name), "--data", t.TempDir())
			if code != 1 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, name) {
				t.Errorf("exit code %d, stderr %q", code, stderr)
			}
		})
	}
}

func TestHelpIs0AndOnStdout(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"watch", "--help"}, {"publish", "-h"}} {
		code, stdout, stderr := call(t, nil, args...)
		if code != 0 || !strings.Contains(stdout, "Usage: shoal") || stderr != "" {
			t.Errorf("%v: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
}

func TestVersionSpeaksJSON(t *testing.T) {
	code, stdout, _ := call(t, map[string]string{"SHOAL_JSON": "true"}, "version")
	list := events(t, stdout)
	if code != 0 || len(list) != 1 || list[0]["event"] != "version" {
		t.Fatalf("exit code %d, stdout %q", code, stdout)
	}
	for _, key := range []string{"version", "commit", "go", "libmpv", "ffmpeg"} {
		if _, ok := list[0][key]; !ok {
			t.Errorf("%s is missing", key)
		}
	}
}

func TestStatusAtRest(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	code, stdout, stderr := call(t, map[string]string{"SHOAL_DATA": dir}, "status", "--json")
	want := `{"event":"status","version":"dev","mode":[],"swarms":[],"queue":0,"disk":{"used":0,"kept":0,"budget":50000000000,"free":-1},"supports":[]}` + "\n"
	if code != 0 || stdout != want || stderr != "" {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("asking for the status created the data folder")
	}
}

func TestABadSettingsFileIsSaid(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte("nope = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := call(t, nil, "status", "--data", dir)
	if code != 1 || !strings.Contains(stderr, `line 1: unknown key "nope"`) {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}

func TestTheEnvironmentStandsForFlags(t *testing.T) {
	code, _, stderr := call(t, map[string]string{"SHOAL_SOURCES": "smoke", "SHOAL_HEADLESS": "1"}, "watch", "x", "--data", t.TempDir())
	if code != 2 || !strings.Contains(stderr, "smoke") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}

func TestInterruptedWorkIs1(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	timer := time.AfterFunc(500*time.Millisecond, cancel)
	defer timer.Stop()
	magnet := "magnet:?xt=urn:btih:0123456789012345678901234567890123456789&tr=ws://127.0.0.1:1/"
	code, stdout, stderr := callContext(ctx, t, nil, "watch", magnet, "--json", "--data", t.TempDir())
	list := events(t, stdout)
	if code != 1 || len(list) != 1 || list[0]["code"] != "stopped" || !strings.Contains(stderr, "stopped") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestATimeoutIsSaid(t *testing.T) {
	magnet := "magnet:?xt=urn:btih:0123456789012345678901234567890123456789&tr=ws://127.0.0.1:1/"
	code, stdout, stderr := call(t, nil, "watch", magnet, "--timeout", "300ms", "--json", "--data", t.TempDir())
	list := events(t, stdout)
	if code != 1 || len(list) != 1 || list[0]["code"] != "timeout" || strings.Count(stderr, "\n") != 1 {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestSinkNeverLeavesAHalfFile(t *testing.T) {
	dir := t.TempDir()
	r := &run{env: Env{Cwd: dir}}
	final := filepath.Join(dir, "v.mp4")
	half, err := openSink("v.mp4", r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := half.Write([]byte("half")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(final); err == nil {
		t.Error("the unfinished file has the final name")
	}
	if err := half.discard(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%d files are left", len(left))
	}
	whole, err := openSink(final, r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := whole.Write([]byte("whole")); err != nil {
		t.Fatal(err)
	}
	if err := whole.commit(); err != nil {
		t.Fatal(err)
	}
	if err := whole.discard(); err != nil {
		t.Error(err)
	}
	if data, err := os.ReadFile(final); err != nil || string(data) != "whole" {
		t.Errorf("got %q, %v", data, err)
	}
}

func TestPlayClock(t *testing.T) {
	c := playClock{rate: 100}
	c.received(0, 50, false) // less than a second: not playing yet
	c.received(1*time.Second, 150, false)
	c.received(2*time.Second, 200, false) // at 100
	if n := c.count(); n != 0 {
		t.Errorf("%d stalls", n)
	}
	c.received(5*time.Second, 250, false) // ran dry at 3 s; 50 is too little to go on
	c.received(6*time.Second, 300, false) // goes on
	c.received(6500*time.Millisecond, 400, true)
	if n, ms := c.totals(); n != 1 || ms != 3000 {
		t.Errorf("%d stalls, %d ms", n, ms)
	}
	unknown := playClock{}
	unknown.received(time.Second, 10, false)
	unknown.received(4*time.Second, 20, true)
	if n, ms := unknown.totals(); n != 1 || ms != 3000 {
		t.Errorf("%d stalls, %d ms", n, ms)
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{"90s": 90 * time.Second, "1.5": 1500 * time.Millisecond, "0": 0} {
		var d duration
		if err := d.UnmarshalText([]byte(text)); err != nil || time.Duration(d) != want {
			t.Errorf("%q: got %v, %v", text, time.Duration(d), err)
		}
	}
	for _, text := range []string{"-1", "soon", "NaN", "1e300", ""} {
		var d duration
		if err := d.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken as %v", text, time.Duration(d))
		}
	}
}
