// SPDX-License-Identifier: AGPL-3.0-or-later

package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestFormatParsesBackToTheSame(t *testing.T) {
	cfg := Defaults()
	cfg.Downloads = filepath.Join(t.TempDir(), "d")
	cfg.Network.ICEServers = []ICEServer{{URLs: []string{"turn:turn.example.org"}, Username: "u", Credential: "c"}}
	cfg.AddRecent("https://a.example")
	data, err := Format(cfg)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, cfg) {
		t.Errorf("got %+v, want %+v", got, cfg)
	}
}

func TestABadFileIsOneClearError(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"unknown key", "introSeen = true\nfoo = 1\n", `line 2: unknown key "foo": check its spelling or remove it`},
		{"unknown key in a table", "[network]\nspeed = 1\n", `line 2: unknown key "network.speed"`},
		{"wrong type", "introSeen = \"yes\"\n", "line 1: introSeen: "},
		{"no TOML", "introSeen = true\n\n???\n", "line 3: "},
		{"port out of range", "[network]\n\ntorrentPort = 70000\n", "line 3: network.torrentPort: 70000 is no port: write 1 to 65535, or 0 to pick one"},
		{"negative limit", "[network]\nuploadLimit = -1\n", "line 2: network.uploadLimit"},
		{"all transports off", "[network]\nwebrtc = false\ntcp=false\nutp=false\nwebseed=false\n", "line 2: network.webrtc"},
		{"relative folder", "downloads = \"x\"\n", "line 1: downloads: \"x\" is no full path"},
		{"bad ICE server", "[[network.iceServers]]\nurls = [\"http://x\"]\n", "line 1: network.iceServers"},
		{"TURN without password", "[[network.iceServers]]\nurls = [\"turn:x\"]\n", "needs username and credential"},
		{"bad listen", "[instance]\nlisten = \"9000\"\n", "line 2: instance.listen"},
		{"bad home", "homeInstance = \"video\"\n", "line 1: homeInstance"},
		{"budget below zero", "[sharing]\nbudget = -1\n", "line 2: sharing.budget"},
		{"ratio that is no number", "[sharing]\nratio = nan\n", "line 2: sharing.ratio"},
		{"no connections", "[limits]\nconnections = 1\n", "line 2: limits.connections: 1 is out of range: write 10 to 10000"},
		{"no day", "[network.schedule]\ndays = [\"monday\"]\n", "line 2: network.schedule.days"},
		{"no time", "[network.schedule]\nfrom = \"25:00\"\n", "line 2: network.schedule.from"},
		{"no proxy", "[network]\nproxy = \"ftp://x\"\n", "line 2: network.proxy"},
		{"no interface", "[network]\ninterface = \"a b\"\n", "line 2: network.interface"},
		{"relative watch folder", "[instance]\nwatchFolder = \"x\"\n", "line 2: instance.watchFolder"},
		{"read-ahead too small", "readAhead = 1\n", "line 1: readAhead"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse([]byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %q, want it to hold %q", err, test.want)
			}
		})
	}
}

func TestUpdateVerifiesThenSavesThenTells(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", FileName)
	s, err := Load(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	var told []Config
	cancel := s.Subscribe(func(c Config) { told = append(told, c) })
	if err := s.Update(func(c *Config) { c.Network.TorrentPort = -1 }); err == nil {
		t.Error("a bad value was taken")
	}
	if _, err := os.Stat(path); err == nil || len(told) != 0 || s.Get().Network.TorrentPort != 0 {
		t.Error("a refused change left a trace")
	}
	if err := s.Update(func(c *Config) { c.Network.TorrentPort = 4000 }); err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || told[0].Network.TorrentPort != 4000 {
		t.Errorf("subscribers were told %+v", told)
	}
	cancel()
	if err := s.Update(func(c *Config) { c.IntroSeen = true }); err != nil || len(told) != 1 {
		t.Errorf("error %v, told %d times", err, len(told))
	}
	again, err := Load(path, nil)
	if err != nil || again.Get().Network.TorrentPort != 4000 || !again.Get().IntroSeen {
		t.Errorf("error %v, loaded %+v", err, again.Get())
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files are left, error %v", len(entries), err)
	}
}

func TestTheEnvironmentGoesOverTheFileAndIsNotSaved(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	env := map[string]string{"SHOAL_NETWORK_TORRENT_PORT": "5000", "SHOAL_NETWORK_PUBLIC_STUN": "false", "SHOAL_INSTANCE_NAME": "Ann"}
	s, err := Load(path, func(k string) string { return env[k] })
	if err != nil {
		t.Fatal(err)
	}
	if c := s.Get(); c.Network.TorrentPort != 5000 || c.Network.PublicSTUN || c.Instance.Name != "Ann" || len(c.Network.AllICEServers()) != 0 {
		t.Errorf("in use: %+v", c)
	}
	if err := s.Update(func(c *Config) { c.IntroSeen = true }); err != nil {
		t.Fatal(err)
	}
	again, err := Load(path, nil)
	if err != nil || again.Get().Network.TorrentPort != 0 || !again.Get().IntroSeen {
		t.Errorf("error %v, saved %+v", err, again.Get())
	}
	env["SHOAL_NETWORK_TORRENT_PORT"] = "many"
	if _, err := Load(path, func(k string) string { return env[k] }); err == nil || !strings.Contains(err.Error(), "SHOAL_NETWORK_TORRENT_PORT") {
		t.Errorf("got %v", err)
	}
}

func TestADataFolderBringsItsOwnSettings(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, FileName), []byte("introSeen = true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	paths, s, err := Locate("", dir, nil)
	if err != nil || paths.Data != dir || paths.Config != filepath.Join(dir, FileName) || !s.Get().IntroSeen {
		t.Errorf("got %+v, error %v", paths, err)
	}
	if _, _, err := Locate(filepath.Join(dir, "none.toml"), dir, nil); err == nil {
		t.Error("a missing --config file was taken")
	}
}

func TestRecentInstancesAreBounded(t *testing.T) {
	cfg := Defaults()
	for i := range 3 * MaxRecent {
		cfg.AddRecent("https://" + strings.Repeat("a", i+1) + ".example")
	}
	cfg.AddRecent("https://a.example")
	cfg.AddRecent("https://b.example")
	cfg.AddRecent("https://a.example")
	if len(cfg.RecentInstances) != MaxRecent || cfg.RecentInstances[0] != "https://a.example" || cfg.RecentInstances[1] != "https://b.example" {
		t.Errorf("got %v", cfg.RecentInstances)
	}
}

// What parses is written and parses again to the same.
func FuzzParse(f *testing.F) {
	data, err := Format(Defaults())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("[network]\ntcp = false\n[[network.iceServers]]\nurls=[\"stun:a\"]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, err := Parse(data)
		if err != nil {
			return
		}
		text, err := Format(cfg)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(text)
		if err != nil {
			t.Fatalf("parsing what was written: %v\n%s", err, text)
		}
		if second, err := Format(again); err != nil || string(second) != string(text) {
			t.Fatalf("%s became %s (%v)", text, second, err)
		}
	})
}
