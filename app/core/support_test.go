// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"shoal/app/config"
	"shoal/peer"
	"shoal/peer/library"
)

// named answers for a channel, an account and an instance.
func fakeNames(t *testing.T) string {
	t.Helper()
	answers := map[string]string{
		"/api/v1/video-channels/cats": `{"name":"cats","displayName":"Cats"}`,
		"/api/v1/accounts/ann":        `{"name":"ann","displayName":"Ann"}`,
		"/api/v1/config":              `{"serverVersion":"7.0.0","instance":{"name":"The instance"}}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := answers[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			body = `{"type":"about:blank","title":"Not Found","status":404}`
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func settingsOf(t *testing.T, dir string) *config.Store {
	t.Helper()
	store, err := config.Load(filepath.Join(dir, config.FileName), nil)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestSupportsAreNamedChangedAndRemoved(t *testing.T) {
	url := fakeNames(t)
	host := strings.TrimPrefix(url, "http://")
	dir := t.TempDir()
	o := Options{Config: settingsOf(t, dir), DataDir: dir, Local: true, Version: "test"}
	err := SupportAtRest(t.Context(), o, func(ctx context.Context, a *App) error {
		for _, test := range []struct {
			arg  string
			want Support
		}{
			{url + "/c/cats/videos", Support{Kind: KindChannel, Name: "cats@" + host, DisplayName: "Cats", URL: url + "/c/cats"}},
			{"ann@" + host, Support{Kind: KindAccount, Name: "ann@" + host, DisplayName: "Ann", URL: url + "/a/ann"}},
			{host, Support{Kind: KindInstance, Name: host, DisplayName: "The instance", URL: url}},
		} {
			s, err := a.AddSupport(ctx, test.arg, SupportOptions{Budget: 5e9})
			if err != nil {
				t.Fatalf("%s: %v", test.arg, err)
			}
			if s.Kind != test.want.Kind || s.Name != test.want.Name || s.DisplayName != test.want.DisplayName || s.URL != test.want.URL ||
				s.Host != host || s.Budget != 5e9 || s.Order != library.OrderNewest || s.Added.IsZero() {
				t.Errorf("%s: got %+v", test.arg, s)
			}
			for _, by := range []string{s.ID, s.URL, s.Name, test.arg} {
				if found, err := a.FindSupport(by); err != nil || found.ID != s.ID {
					t.Errorf("looking for %s: got %+v, %v", by, found, err)
				}
			}
		}
		for arg, code := range map[string]string{
			"": "badURL", host + "/c/dogs": "notFound", "nobody@" + host: "notFound", url + "/w/abcd": "badURL",
			url + "/videos/watch/4e1f2f28-1822-4544-bf7c-52e111041379": CodeBadInput,
			"0123456789012345678901234567890123456789":                 CodeBadInput,
		} {
			if s, err := a.AddSupport(ctx, arg, SupportOptions{}); CodeOf(err) != code {
				t.Errorf("%q: got %+v, %v", arg, s, err)
			}
		}
		if _, err := a.AddSupport(ctx, host, SupportOptions{Order: "best"}); CodeOf(err) != CodeBadInput {
			t.Errorf("got %v", err)
		}
		// Adding once more changes what is said.
		if s, err := a.AddSupport(ctx, "cats@"+host, SupportOptions{Order: library.OrderRarest}); err != nil || s.Budget != 5e9 || s.Order != library.OrderRarest {
			t.Errorf("got %+v, %v", s, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = SupportAtRest(t.Context(), o, func(ctx context.Context, a *App) error {
		list := a.Supports()
		if len(list) != 3 || list[0].Order != library.OrderRarest {
			t.Fatalf("after a restart: %+v", list)
		}
		for _, s := range list {
			if err := a.RemoveSupport(ctx, s.ID, false); err != nil {
				t.Error(err)
			}
		}
		if _, err := a.FindSupport(list[0].ID); CodeOf(err) != CodeNotFound {
			t.Errorf("got %v", err)
		}
		if err := a.RemoveSupport(ctx, list[0].ID, false); CodeOf(err) != CodeNotFound {
			t.Errorf("got %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestASupportCountsWhatItHolds(t *testing.T) {
	dir := t.TempDir()
	o := Options{Config: settingsOf(t, dir), DataDir: dir, Local: true}
	err := SupportAtRest(t.Context(), o, func(ctx context.Context, a *App) error {
		s := library.Support{ID: "one", Kind: library.SupportChannel, Name: "cats", Instance: "https://video.example", Uploaded: peer.Bytes{TCP: 1}}
		if err := a.supports.add(s); err != nil {
			t.Fatal(err)
		}
		// Two renditions of one video, and one video that came in part; all were held before.
		for i, e := range []library.Entry{
			{Support: "one", Video: "u", Complete: true, Bytes: 10, Uploaded: peer.Bytes{WebRTC: 7}, Before: peer.Bytes{WebRTC: 5}},
			{Support: "one", Video: "u", Complete: false, Bytes: 10},
			{Support: "one", Video: "v", Complete: true, Bytes: 20, Uploaded: peer.Bytes{TCP: 4}},
			{Complete: true, Bytes: 40, Uploaded: peer.Bytes{TCP: 9}},
		} {
			e.Infohash = strings.Repeat(string(rune('a'+i)), 40)
			a.keeper.writing.Lock()
			err := a.keeper.put(e)
			a.keeper.writing.Unlock()
			if err != nil {
				t.Fatal(err)
			}
		}
		got := a.Supports()[0]
		if got.Used != 30 || got.Videos != 2 || got.Complete != 1 || got.Uploaded != (peer.Bytes{WebRTC: 2, TCP: 5}) {
			t.Errorf("got %+v", got)
		}
		if err := a.SetPinned(strings.Repeat("a", 40), true); err != nil {
			t.Error(err)
		}
		if err := a.SetPinned(strings.Repeat("9", 40), true); CodeOf(err) != CodeNotFound {
			t.Errorf("got %v", err)
		}
		if e, _ := a.keeper.entry(strings.Repeat("a", 40)); !e.Pinned {
			t.Error("the swarm is not pinned")
		}
		if err := a.RemoveSupport(ctx, "one", false); err != nil {
			t.Error(err)
		}
		for infohash, e := range a.keeper.all() {
			if e.Support != "" || e.Video != "" {
				t.Errorf("%s is held for %q", infohash, e.Support)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
