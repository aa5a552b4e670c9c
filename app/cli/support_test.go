// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeChannel is an instance with one channel that has no videos.
func fakeChannel(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/video-channels/cats" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte(`{"name":"cats","displayName":"Cats"}`))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestSupportsAtRest(t *testing.T) {
	url, dir := fakeChannel(t), t.TempDir()
	run := func(args ...string) (int, []map[string]any, string) {
		t.Helper()
		code, stdout, stderr := call(t, map[string]string{"SHOAL_DATA": dir}, append(args, "--json")...)
		return code, events(t, stdout), stderr
	}
	code, list, stderr := run("support", "add", url+"/c/cats", "--budget", "5GB", "--order", "rarest")
	if code != 0 || len(list) != 1 || !strings.Contains(stderr, "shoal serve") {
		t.Fatalf("exit code %d, %v, stderr %q", code, list, stderr)
	}
	for key, want := range map[string]any{
		"event": "support", "state": "added", "kind": "channel", "displayName": "Cats", "budget": 5e9, "order": "rarest", "used": 0.0,
		"videos": 0.0, "complete": 0.0, "problem": "", "url": url + "/c/cats", "name": "cats@" + strings.TrimPrefix(url, "http://"),
	} {
		if list[0][key] != want {
			t.Errorf("%s is %v, want %v", key, list[0][key], want)
		}
	}
	id := list[0]["id"]
	code, list, _ = run("support", "list")
	if code != 0 || len(list) != 1 || list[0]["event"] != "support" || list[0]["id"] != id {
		t.Errorf("exit code %d, %v", code, list)
	}
	code, list, _ = run("status")
	if supports, ok := list[0]["supports"].([]any); code != 0 || !ok || len(supports) != 1 || supports[0].(map[string]any)["id"] != id {
		t.Errorf("exit code %d, %v", code, list)
	}
	for _, test := range []struct {
		args []string
		exit int
		code string
	}{
		{[]string{"support", "add", url + "/c/dogs"}, 1, "notFound"},
		{[]string{"support", "add", url + "/c/cats", "--budget", "9"}, 1, "badInput"},
		{[]string{"support", "add", url + "/c/cats", "--budget", "much"}, 2, "usage"},
		{[]string{"support", "add", url + "/c/cats", "--order", "best"}, 2, "usage"},
		{[]string{"support", "remove", url + "/c/dogs"}, 1, "notFound"},
		{[]string{"pin", strings.Repeat("a", 40)}, 1, "notFound"},
		{[]string{"pin", url}, 1, "badInput"},
	} {
		code, list, _ := run(test.args...)
		if code != test.exit || len(list) != 1 || list[0]["code"] != test.code {
			t.Errorf("%v: exit code %d, %v", test.args, code, list)
		}
	}
	if code, list, _ := run("support", "remove", "cats@"+strings.TrimPrefix(url, "http://")); code != 0 || len(list) != 1 || list[0]["state"] != "removed" {
		t.Errorf("exit code %d, %v", code, list)
	}
	if code, list, _ := run("support", "list"); code != 0 || len(list) != 0 {
		t.Errorf("exit code %d, %v", code, list)
	}
}

func TestListingSupportsCreatesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	code, stdout, stderr := call(t, map[string]string{"SHOAL_DATA": dir}, "support", "list")
	if code != 0 || !strings.Contains(stdout, "Nothing is supported") || stderr != "" {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("listing created the data folder")
	}
}
