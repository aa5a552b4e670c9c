// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
)

// finger answers webfinger's questions from a list: resource -> subject and href.
type finger map[string][2]string

func (f finger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, ok := f[r.URL.Query().Get("resource")]
	if r.URL.Path != "/.well-known/webfinger" || !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/jrd+json")
	fmt.Fprintf(w, `{"subject":%q,"links":[{"rel":"http://webfinger.net/rel/profile-page","type":"text/html","href":"https://example.com/@x"},
		{"rel":"self","type":"text/html","href":"https://example.com/page"},7,{"rel":"self","type":"application/activity+json","href":%q}]}`, a[0], a[1])
}

func TestWebfinger(t *testing.T) {
	c := public(t, Options{}, finger{
		"acct:a@example.com":          {"acct:a@example.com", "https://example.com/accounts/a"},
		"acct:Big@example.com":        {"acct:big@Example.com", "https://example.com/accounts/big"},
		"acct:bare@example.com":       {"", "https://example.com/accounts/bare"},
		"acct:self@example.com":       {"https://example.com/accounts/self", "https://example.com/accounts/self"},
		"acct:split@example.com":      {"acct:split@www.example.com", "https://www.example.com/u/split"},
		"acct:split@www.example.com":  {"acct:split@www.example.com", "https://www.example.com/u/split"},
		"acct:lies@example.com":       {"acct:victim@www.example.com", "https://example.com/accounts/lies"},
		"acct:victim@www.example.com": {"acct:victim@www.example.com", "https://www.example.com/u/victim"},
		"acct:circle@example.com":     {"acct:circle2@example.com", "https://example.com/c"},
		"acct:circle2@example.com":    {"acct:circle@example.com", "https://example.com/c"},
		"acct:odd@example.com":        {"mailto:odd", "https://example.com/odd"},
		"acct:private@example.com":    {"acct:private@example.com", "https://127.0.0.1/a"},
		"acct:http@example.com":       {"acct:http@example.com", "http://example.com/a"},
	})
	for handle, want := range map[string]string{
		"a@example.com": "https://example.com/accounts/a", "@a@example.com": "https://example.com/accounts/a", "acct:a@EXAMPLE.com": "https://example.com/accounts/a",
		"Big@example.com": "https://example.com/accounts/big", "bare@example.com": "https://example.com/accounts/bare", "self@example.com": "https://example.com/accounts/self",
		"split@example.com": "https://www.example.com/u/split",
	} {
		if got, err := c.Webfinger(t.Context(), handle); err != nil || got != want {
			t.Errorf("%s: %s, %v", handle, got, err)
		}
	}
	for handle, want := range map[string]Code{
		"nobody@example.com": CodeNotFound, "lies@example.com": CodeWrongType, "circle@example.com": CodeWrongType, "odd@example.com": CodeWrongType,
		"private@example.com": CodeBlockedAddress, "http@example.com": CodeInsecure, "example.com": CodeNotFound, "@example.com": CodeNotFound, "": CodeNotFound,
		"a@": CodeNotFound, "a@localhost": CodeBlockedAddress, "a@127.0.0.1": CodeBlockedAddress, "a@b@example.com": CodeNotFound, "a@example.com/x?": CodeNotFound,
		"a@user:pw@example.com": CodeNotFound,
	} {
		_, err := c.Webfinger(t.Context(), handle)
		wantCode(t, err, want, "")
	}
}

func TestWebfingerInDevelopment(t *testing.T) {
	var host string
	c, base := dev(t, Options{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		finger{"acct:peertube@" + host: {"acct:peertube@" + host, "http://" + host + "/accounts/peertube"}}.ServeHTTP(w, r)
	}))
	host = strings.TrimPrefix(base, "http://")
	if got, err := c.InstanceActor(t.Context(), host); err != nil || got != base+"/accounts/peertube" {
		t.Errorf("%s, %v", got, err)
	}
}

func TestHostMeta(t *testing.T) {
	c := public(t, Options{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/.well-known/host-meta":
			w.Header().Set("Content-Type", "application/xrd+xml")
			io.WriteString(w, `<?xml version="1.0"?><XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0"><Link rel="lrdd" type="application/jrd+json" template="https://www.example.com/finger?x={uri}"/></XRD>`)
		case r.URL.Path == "/finger" && r.URL.Query().Get("x") == "acct:a@example.com":
			io.WriteString(w, `{"subject":"acct:a@example.com","links":[{"rel":"self","type":"application/activity+json","href":"https://www.example.com/a"}]}`)
		default:
			http.NotFound(w, r)
		}
	}))
	if got, err := c.Webfinger(t.Context(), "a@example.com"); err != nil || got != "https://www.example.com/a" {
		t.Errorf("%s, %v", got, err)
	}
	_, err := c.Webfinger(t.Context(), "b@example.com")
	wantCode(t, err, CodeNotFound, "nobody named b")
}

func TestInstanceActor(t *testing.T) {
	links := ""
	status := http.StatusOK
	var hits atomic.Int32
	c := public(t, Options{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/.well-known/nodeinfo":
			if hits.Add(1) < 3 && status == http.StatusServiceUnavailable {
				w.WriteHeader(status)
				return
			}
			if status != http.StatusServiceUnavailable {
				w.WriteHeader(status)
			}
			io.WriteString(w, links)
		case "/nodeinfo/2.1.json":
			io.WriteString(w, `{"version":"2.1","software":{"name":"PeerTube","version":"7.0.1"}}`)
		default:
			finger{"acct:peertube@example.com": {"acct:peertube@example.com", "https://example.com/accounts/peertube"}}.ServeHTTP(w, r)
		}
	}))
	for _, tc := range []struct {
		status      int
		links, want string
	}{
		{200, `{"links":[{"rel":"https://www.w3.org/ns/activitystreams#Application","href":"https://example.com/actor"}]}`, "https://example.com/actor"},
		{503, `{"links":[{"rel":"https://www.w3.org/ns/activitystreams#Application","href":"https://example.com/actor"}]}`, "https://example.com/actor"},
		{200, `{"links":[{"rel":"https://www.w3.org/ns/activitystreams#Application","href":"https://elsewhere.example/actor"}]}`, "https://example.com/accounts/peertube"},
		{200, `{"links":{}}`, "https://example.com/accounts/peertube"},
		{200, `<html>`, "https://example.com/accounts/peertube"},
		{404, ``, "https://example.com/accounts/peertube"},
	} {
		hits.Store(0)
		status, links = tc.status, tc.links
		if got, err := c.InstanceActor(t.Context(), "example.com"); err != nil || got != tc.want {
			t.Errorf("%d %s: %s, %v", tc.status, tc.links, got, err)
		}
	}
	status, links = 200, `{"links":[{"rel":"http://nodeinfo.diaspora.software/ns/schema/2.0","href":"https://example.com/no"},
		{"rel":"http://nodeinfo.diaspora.software/ns/schema/2.1","href":"https://example.com/nodeinfo/2.1.json"},
		{"rel":"https://www.w3.org/ns/activitystreams#Application","href":"https://example.com/actor"}]}`
	if n, err := c.Nodeinfo(t.Context(), "example.com"); err != nil || n != (Node{"peertube", "7.0.1", "https://example.com/actor"}) {
		t.Errorf("%+v, %v", n, err)
	}
	links = `{"links":[{"rel":"http://nodeinfo.diaspora.software/ns/schema/2.0","href":"https://127.0.0.1/"}]}`
	_, err := c.Nodeinfo(t.Context(), "example.com")
	wantCode(t, err, CodeWrongType, "what software")
	_, err = c.InstanceActor(t.Context(), "www.example.com")
	wantCode(t, err, CodeNotFound, "no actor for the whole instance")
	for _, host := range []string{"", "a b", "https://example.com", "example.com/x", "a@example.com", "example.com?"} {
		_, err = c.InstanceActor(t.Context(), host)
		wantCode(t, err, CodeNotFound, "not a host name")
		_, err = c.Nodeinfo(t.Context(), host)
		wantCode(t, err, CodeNotFound, "not a host name")
	}
}

func seeds(f *testing.F, names ...string) {
	f.Helper()
	for _, name := range names {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}

// However hostile: few links, and one URL that passes CheckURL or none.
func FuzzWebfinger(f *testing.F) {
	seeds(f, "webfinger.json", "nodeinfo-wellknown.json")
	c := &Client{}
	f.Fuzz(func(t *testing.T, b []byte) {
		answer, err := parseJRD(b)
		if err != nil && len(answer.Links) > 0 || len(answer.Links) > maxLinks {
			t.Errorf("%+v, %v", answer, err)
		}
		if actor := c.actorOf("video.example", answer); actor != "" {
			if u, err := CheckURL(actor, false); err != nil || !sameHost(u, "video.example") {
				t.Errorf("%s: %v", actor, err)
			}
		}
		if name, host, err := splitHandle(answer.Subject); err == nil {
			n, h, err := splitHandle("acct:" + name + "@" + host)
			if err != nil || h != host || n != name && !strings.HasPrefix(name, "@") && !strings.HasPrefix(name, "acct:") {
				t.Errorf("%q: %q, %q, %v", answer.Subject, n, h, err)
			}
		}
	})
}

func FuzzHostMeta(f *testing.F) {
	seeds(f, "host-meta.xml")
	f.Fuzz(func(t *testing.T, b []byte) {
		if template, err := parseHostMeta(b); err == nil && !strings.Contains(template, "{uri}") {
			t.Errorf("template %q", template)
		}
	})
}

func FuzzNodeinfo(f *testing.F) {
	seeds(f, "nodeinfo.json")
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := parseNodeinfo(b)
		if err == nil && (n.Software != strings.ToLower(n.Software) || len([]rune(n.Software)) > 201 || strings.ContainsAny(n.Software+n.Version, "\n\x00")) {
			t.Errorf("%+v", n)
		}
	})
}

func TestCaptures(t *testing.T) {
	b, err := os.ReadFile("testdata/webfinger.json")
	if err != nil {
		t.Fatal(err)
	}
	answer, err := parseJRD(b)
	if err != nil || !strings.HasPrefix(answer.Subject, "acct:") || len(answer.Links) == 0 {
		t.Errorf("%+v, %v", answer, err)
	}
	b, err = os.ReadFile("testdata/nodeinfo-wellknown.json")
	if err != nil {
		t.Fatal(err)
	}
	answer, err = parseJRD(b)
	if actor := (&Client{opts: Options{Dev: true}}).actorOf("127.0.0.1:9001", answer); err != nil || actor != "http://127.0.0.1:9001/accounts/peertube" {
		t.Errorf("%+v, %s, %v", answer, actor, err)
	}
	b, err = os.ReadFile("testdata/nodeinfo.json")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := parseNodeinfo(b); err != nil || n.Software != "peertube" {
		t.Errorf("%+v, %v", n, err)
	}
	b, err = os.ReadFile("testdata/host-meta.xml")
	if err != nil {
		t.Fatal(err)
	}
	if template, err := parseHostMeta(b); err != nil || !strings.HasPrefix(template, "http://127.0.0.1:9001/.well-known/webfinger") {
		t.Errorf("%s, %v", template, err)
	}
}
