// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fastRetry retries as the default does, without its pauses.
func fastRetry() retryPolicy {
	return retryPolicy{count: 2, wait: time.Millisecond, maxWait: time.Second}
}

// start serves h on loopback and returns a client and the instance's address.
func start(t *testing.T, o Options, h http.HandlerFunc) (*Client, string) {
	t.Helper()
	srv := httptest.NewServer(h)
	c := newClient(o, nil, fastRetry())
	t.Cleanup(func() { c.Close(); srv.CloseClientConnections(); srv.Close() })
	return c, srv.URL
}

// replay answers with captures, as a PeerTube does.
func replay(t *testing.T, routes map[string]string) http.HandlerFunc {
	t.Helper()
	return func(w http.ResponseWriter, r *http.Request) {
		name, ok := routes[r.URL.RequestURI()]
		if !ok {
			t.Errorf("asked for %s", r.URL.RequestURI())
			name = "video-404.json"
		}
		c := readCapture(t, name)
		w.Header().Set("Content-Type", c.Headers["content-type"])
		w.WriteHeader(c.Status)
		w.Write(c.Body)
	}
}

func wantCode(t *testing.T, err error, code Code, text string) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error is %v, want %s", err, code)
	}
	if e.Code != code || !strings.Contains(e.Text, text) {
		t.Fatalf("error is %s: %s (%v); want %s with %q", e.Code, e.Text, e.Err, code, text)
	}
	return e
}

func TestCallsOnCaptures(t *testing.T) {
	c, instance := start(t, Options{}, replay(t, map[string]string{
		"/api/v1/config": "config.json",
		"/api/v1/videos": "videos.json",
		"/api/v1/videos?count=5&isLocal=true&sort=-publishedAt":       "videos-sorted.json",
		"/api/v1/videos?count=100&start=30":                           "videos.json",
		"/api/v1/videos/" + testUUID:                                  "video.json",
		"/api/v1/search/videos?count=2&search=a+%26+b%3F":             "search-videos.json",
		"/api/v1/accounts/alice":                                      "account.json",
		"/api/v1/accounts/alice/videos":                               "account-videos.json",
		"/api/v1/video-channels/alice_channel":                        "video-channel.json",
		"/api/v1/video-channels/alice_channel@other.example:9/videos": "video-channel-videos.json",
		"/api/v1/videos/00000000-0000-4000-8000-000000000000":         "video-404.json",
		"/api/v1/videos/5":                                            "users-me-401.json",
	}))
	ctx := t.Context()

	config, err := c.Config(ctx, instance)
	if err != nil || config.ServerVersion != "7.0.1" || config.Instance.Name != "PeerTube" {
		t.Errorf("config is %+v, %v", config.Instance, err)
	}
	for _, o := range []ListOptions{{}, {Count: 5, Sort: "-publishedAt", Local: true}, {Start: 30, Count: 500}} {
		if l, err := c.Videos(ctx, instance, o); err != nil || int(l.Total) != len(l.Data) || l.Total == 0 {
			t.Errorf("videos with %+v are %+v, %v", o, l, err)
		}
	}
	for _, id := range []string{testUUID, strings.ToUpper(testUUID), testShort} {
		v, err := c.Video(ctx, instance, id)
		if err != nil || v.UUID != testUUID || v.Account.DisplayName != "Alice Display" || v.Channel.Name != "alice_channel" || len(v.Renditions()) != 2 {
			t.Errorf("video %s is %+v, %v", id, v, err)
		}
	}
	if l, err := c.Search(ctx, instance, "a & b?", ListOptions{Count: 2}); err != nil || l.Total != 1 {
		t.Errorf("search gives %+v, %v", l, err)
	}
	if a, err := c.Account(ctx, instance, "alice"); err != nil || a.FollowersCount != 1 {
		t.Errorf("account is %+v, %v", a, err)
	}
	if l, err := c.AccountVideos(ctx, instance, "alice", ListOptions{}); err != nil || len(l.Data) != 1 {
		t.Errorf("account's videos are %+v, %v", l, err)
	}
	if ch, err := c.Channel(ctx, instance, "alice_channel"); err != nil || ch.OwnerAccount.Name != "alice" {
		t.Errorf("channel is %+v, %v", ch, err)
	}
	if l, err := c.ChannelVideos(ctx, instance, "alice_channel@other.example:9", ListOptions{}); err != nil || len(l.Data) != 1 {
		t.Errorf("channel's videos are %+v, %v", l, err)
	}

	_, err = c.Video(ctx, instance, "00000000-0000-4000-8000-000000000000")
	if e := wantCode(t, err, CodeNotFound, "has not got this video"); e.Status != http.StatusNotFound {
		t.Errorf("status is %d", e.Status)
	}
	_, err = c.Video(ctx, instance, "5")
	wantCode(t, err, CodeForbidden, "Token is invalid")
	_, err = c.Video(ctx, instance, "../users/me")
	wantCode(t, err, CodeBadURL, "not a video's address")
	_, err = c.Account(ctx, instance, "..")
	wantCode(t, err, CodeBadURL, "name@host")
	_, err = c.Config(ctx, "cats")
	wantCode(t, err, CodeBadURL, "names no server")
}

// What is not PeerTube's API is said to be so.
func TestOtherAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		status      int
		contentType string
		body        string
		code        Code
		text        string
	}{
		"web page":          {200, "text/html; charset=utf-8", "<!doctype html><html>", CodeNotPeerTube, "answered with a web page, not with PeerTube's API: is this a PeerTube instance?"},
		"web page as JSON":  {200, "application/json", "  <html>", CodeNotPeerTube, "web page"},
		"web page with 404": {404, "text/html", "<html>no such page", CodeNotPeerTube, "web page"},
		"web page with 403": {403, "text/html", "<html>go away", CodeNotPeerTube, "web page"},
		"nothing":           {200, "application/json", "", CodeNotPeerTube, "answered with nothing"},
		"other JSON":        {200, "application/json", `{"hello":"world"}`, CodeNotPeerTube, "something that is not PeerTube's API"},
		"JSON array":        {200, "application/json", `[1,2]`, CodeNotPeerTube, "something that is not"},
		"cut JSON":          {200, "application/json", `{"total":1,"data":[{"id":`, CodeNotPeerTube, "something that is not"},
		"garbage":           {200, "application/json", "\x00\xff\xfe", CodeNotPeerTube, "something that is not"},
		"no redirect":       {304, "", "", CodeNotPeerTube, "HTTP 304"},
		"404":               {404, "application/json", `{"error":"x"}`, CodeNotFound, "has not got a list of videos"},
		"empty 404":         {404, "", "", CodeNotFound, "check the address"},
		"400":               {400, "application/problem+json", `{"detail":"Incorrect request parameters: id","status":400}`, CodeBadRequest, "(Incorrect request parameters: id)"},
		"old 400":           {400, "application/json", `{"error":"Should\n have a` + strings.Repeat("!", 500) + `"}`, CodeBadRequest, "Should have a!!"},
		"403":               {403, "application/problem+json", `{"detail":"Cannot get this video regarding follow constraints","originUrl":"https://other.example/w/1"}`, CodeForbidden, "open https://other.example/w/1 instead"},
		"500":               {500, "text/html", "<html>oops", CodeServer, "has a problem of its own (HTTP 500): try again later"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			c, instance := start(t, Options{}, func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				if tc.contentType != "" {
					w.Header().Set("Content-Type", tc.contentType)
				}
				w.WriteHeader(tc.status)
				io.WriteString(w, tc.body)
			})
			_, err := c.Videos(t.Context(), instance, ListOptions{})
			e := wantCode(t, err, tc.code, tc.text)
			if len(e.Text) > 400 {
				t.Errorf("the sentence has %d bytes", len(e.Text))
			}
			if n := asked.Load(); n != 1 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

func TestWhatIsSent(t *testing.T) {
	var got http.Header
	c, instance := start(t, Options{UserAgent: "Shoal/1.2"}, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		http.SetCookie(w, &http.Cookie{Name: "track", Value: "me"})
		w.WriteHeader(http.StatusNotFound)
	})
	for range 2 {
		_, err := c.Config(t.Context(), instance)
		wantCode(t, err, CodeNotFound, "")
	}
	if got.Get("User-Agent") != "Shoal/1.2" || got.Get("Accept") != "application/json" || len(got["Cookie"]) != 0 {
		t.Errorf("headers are %v", got)
	}
}
