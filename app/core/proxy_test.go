// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"errors"
	"net/http"
	"net/url"
	"path/filepath"
	"testing"

	"shoal/app/config"
	"shoal/peer/safedial"
)

func TestProxyOfARequest(t *testing.T) {
	const proxy = "socks5://127.0.0.1:1080"
	store, err := config.Load(filepath.Join(t.TempDir(), "shoal.toml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Update(func(c *config.Config) { c.Network.Proxy = proxy }); err != nil {
		t.Fatal(err)
	}
	a := &App{options: Options{Config: store}}
	a.named.add("http://192.168.1.5/", "http://localhost:9000/")
	for address, want := range map[string]string{
		"https://video.example/f.mp4": proxy, "http://1.2.3.4/": proxy, "http://192.168.1.5/": proxy, "http://localhost:9000/": "direct",
		"http://127.0.0.1/": "refused", "http://127.1/": "refused", "http://[::1]/": "refused", "http://10.0.0.1/": "refused",
		"http://router/": "refused", "http://nas.local/": "refused", "http://a.LOCALHOST./": "refused", "http://0x7f000001/": "refused",
		"http://169.254.169.254/": "refused", "http://metadata.google.internal/": "refused",
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		got, err := a.chooseProxy(&http.Request{URL: u})
		said := "direct"
		switch {
		case errors.Is(err, safedial.ErrPrivate):
			said = "refused"
		case err != nil:
			t.Fatal(err)
		case got != nil:
			said = got.String()
		}
		if said != want {
			t.Errorf("%s: %s, want %s", address, said, want)
		}
	}
	if !a.proxied() || a.named.has("127.0.0.1") || !a.named.mayReach("127.0.0.1") {
		t.Error("the proxy cannot be reached, or is taken for a host that videos may name")
	}
}
