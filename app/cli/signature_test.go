// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const vectorsDir = "../../instance/federation/ldsig/testdata/vectors"

func TestSignature(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(vectorsDir, "*.json"))
	if err != nil || len(files) < 20 {
		t.Fatal(len(files), err)
	}
	args := []string{"--json", "--data", t.TempDir(), "signature"}
	for _, file := range files {
		file, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	code, stdout, stderr := call(t, nil, args...)
	if code != 0 {
		t.Error(code, stderr)
	}
	list := events(t, stdout)
	if len(list) != len(files) {
		t.Fatal(len(list))
	}
	for _, e := range list {
		signed := !strings.Contains(e["file"].(string), "Flag")
		if e["event"] != "signature" || e["http"] != true || e["digest"] != true || e["ld"] != signed || e["ldSigned"] != signed || signed == (e["optionsHash"] == "" || e["documentHash"] == "") {
			t.Error(e)
		}
	}
}

// changed writes a vector with one thing changed and returns its path.
func changed(t *testing.T, name string, change func(v map[string]any)) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(vectorsDir, name))
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	change(v)
	if text, err = json.Marshal(v); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSignatureOfTamperedPosts(t *testing.T) {
	body := changed(t, "Follow-1.json", func(v map[string]any) {
		text, err := base64.StdEncoding.DecodeString(v["bodyBase64"].(string))
		if err != nil {
			t.Fatal(err)
		}
		v["bodyBase64"] = base64.StdEncoding.EncodeToString([]byte(strings.Replace(string(text), "follows/6", "follows/7", 1)))
	})
	date := changed(t, "Follow-1.json", func(v map[string]any) {
		v["headers"].(map[string]any)["date"] = "Sun, 22 Nov 2026 15:25:30 GMT"
	})
	same := changed(t, "Follow-1.json", func(map[string]any) {})
	for name, c := range map[string]struct {
		args             []string
		http, digest, ld bool
		code             int
	}{
		"as it stands":   {args: []string{same}, http: true, digest: true, ld: true},
		"another body":   {args: []string{body}, http: true, code: 1},
		"another date":   {args: []string{date}, digest: true, ld: true, code: 1},
		"within 30 min":  {args: []string{same, "--at", "2026-11-22T15:50:00Z"}, http: true, digest: true, ld: true},
		"an hour later":  {args: []string{same, "--at", "2026-11-22T16:26:00Z"}, digest: true, ld: true, code: 1},
		"a zone's clock": {args: []string{same, "--at", "2026-11-22T16:26:00+01:00"}, http: true, digest: true, ld: true},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := call(t, nil, append([]string{"--json", "--data", t.TempDir(), "signature"}, c.args...)...)
			e := events(t, stdout)[0]
			if code != c.code || e["http"] != c.http || e["digest"] != c.digest || e["ld"] != c.ld {
				t.Error(code, e, stderr)
			}
			if (code != 0) != strings.Contains(stderr, "not validly signed") {
				t.Error(stderr)
			}
		})
	}
}

func TestSignatureOfWhatIsNoVector(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.json")
	if err := os.WriteFile(file, []byte(`{}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(t.TempDir(), "none.json")} {
		if code, _, stderr := call(t, nil, "--data", t.TempDir(), "signature", path); code != 1 || !strings.Contains(stderr, "cannot be checked") {
			t.Error(code, stderr)
		}
	}
	if code, _, _ := call(t, nil, "--data", t.TempDir(), "signature", "--at", "soon", file); code != 2 {
		t.Error(code)
	}
	if code, _, _ := call(t, nil, "signature"); code != 2 {
		t.Error(code)
	}
}
