// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e

package httpsig

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"shoal/peer/testpeer"
)

// What Fedify signs, in either way, verifies here, and what we sign verifies in Fedify.
func TestFedify(t *testing.T) {
	// Fedify leaves the query out of (request-target); inboxes have none.
	const url, keyID = "https://b.example/inbox", testActor + "#main-key"
	key := newKey(t)
	body := []byte(`{"type":"Follow"}`)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if err := Sign(ours, keyID, key, body, time.Now()); err != nil {
		t.Fatal(err)
	}
	headers := map[string]string{"host": ours.Host}
	for name := range ours.Header {
		headers[name] = ours.Header.Get(name)
	}
	job, err := json.Marshal(map[string]any{
		"url": url, "body": string(body), "keyId": keyID, "owner": testActor,
		"privateKey": base64.StdEncoding.EncodeToString(private), "publicKey": base64.StdEncoding.EncodeToString(public),
		"request": map[string]any{"headers": headers},
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), testpeer.Node(t), "testdata/fedify.mjs")
	cmd.Env = append(os.Environ(), "SHOAL_NPM_DIR="+filepath.Dir(testpeer.Modules(t)))
	cmd.Stdin = bytes.NewReader(job)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("fedify.mjs: %v: %s", err, stderr.String())
	}
	var answer struct {
		Signed   map[string]map[string]string
		Verified string
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Verified != keyID {
		t.Errorf("Fedify does not verify what we sign: %q: %s", answer.Verified, stderr.String())
	}
	if len(answer.Signed) != 2 {
		t.Fatal(len(answer.Signed))
	}
	check := NewVerifier(Options{Host: testHost, Keys: func(_ context.Context, keyID string, _ bool) (Key, error) {
		return Key{Public: &key.PublicKey, Owner: keyID}, nil
	}})
	for spec, headers := range answer.Signed {
		r := httptest.NewRequest(http.MethodPost, "/inbox", nil)
		r.Host = testHost
		for name, value := range headers {
			r.Header.Set(name, value)
		}
		if got, err := check.Verify(t.Context(), r, body); err != nil || got.Owner != keyID {
			t.Errorf("%s: %v %v: %v", spec, got.Owner, err, headers)
		}
		if _, err := check.Verify(t.Context(), r, []byte("x")); err == nil {
			t.Errorf("%s: another body is good too", spec)
		}
	}
}
