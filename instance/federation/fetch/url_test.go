// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"strings"
	"testing"
)

func TestCheckURL(t *testing.T) {
	for raw, want := range map[string]Code{
		"https://video.example/a":        "",
		"https://video.example:8443/a#b": "",
		"https://1.1.1.1/a":              "",
		"https://[2606:4700::1111]/":     "",
		"https://xn--bcher-kva.example/": "",
		"http://video.example/a":         CodeInsecure,
		"https://localhost/":             CodeBlockedAddress,
		"https://localhost./":            CodeBlockedAddress,
		"https://nas/":                   CodeBlockedAddress,
		"https://127.0.0.1/":             CodeBlockedAddress,
		"https://[::1]/":                 CodeBlockedAddress,
		"https://[fe80::1%25eth0]/":      CodeBlockedAddress,
		"https://192.168.1.1/":           CodeBlockedAddress,
		"https://a:b@video.example/":     CodeBlockedAddress,
		"https://a@video.example/":       CodeBlockedAddress,
		"https:///a":                     CodeBlockedAddress,
		"https:video.example":            CodeBlockedAddress,
		"//video.example/a":              CodeBlockedAddress,
		"/a":                             CodeBlockedAddress,
		"":                               CodeBlockedAddress,
		"ftp://video.example/":           CodeBlockedAddress,
		"javascript:alert(1)":            CodeBlockedAddress,
		"https://video.example/\x00":     CodeBlockedAddress,
		"https://.example/":              CodeBlockedAddress,
		"https://video.example/" + strings.Repeat("a", maxURL): CodeBlockedAddress,
	} {
		u, err := CheckURL(raw, false)
		if want == "" {
			if err != nil || u.String() != raw {
				t.Errorf("%q: %v, %v", raw, u, err)
			}
			continue
		}
		wantCode(t, err, want, "not followed")
	}
	for _, raw := range []string{"http://127.0.0.1:9001/a", "http://localhost/", "https://nas/", "https://video.example/"} {
		if _, err := CheckURL(raw, true); err != nil {
			t.Errorf("in development %q: %v", raw, err)
		}
	}
	for _, raw := range []string{"ftp://127.0.0.1/", "http://a:b@127.0.0.1/", "http:///", ""} {
		if _, err := CheckURL(raw, true); err == nil {
			t.Errorf("in development %q", raw)
		}
	}
}

// What passes stays the same when it is read again, and has nothing that is not followed.
func FuzzCheckURL(f *testing.F) {
	for _, s := range []string{"https://video.example/a", "https://[::1]/", "https://a:b@c.example", "http://c.example:80/%2f?x#y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := CheckURL(raw, false)
		if err != nil {
			return
		}
		if u.Scheme != "https" || u.User != nil || u.Hostname() == "" {
			t.Errorf("%q passes", raw)
		}
		if again, err := CheckURL(u.String(), false); err != nil || again.Host != u.Host {
			t.Errorf("%q, then %q: %v", raw, u, err)
		}
	})
}
