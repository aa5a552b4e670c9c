// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e || bench

package ldsig

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	contextfiles "shoal/assets/contexts"
	"shoal/peer/testpeer"
)

// jsJob is what testdata/jsonld.mjs is asked.
type jsJob struct {
	Contexts   map[string]json.RawMessage `json:"contexts"`
	Union      []any                      `json:"union,omitempty"`
	Major      int                        `json:"major"`
	PublicKey  string                     `json:"publicKey,omitempty"`
	PrivateKey string                     `json:"privateKey,omitempty"`
	Creator    string                     `json:"creator,omitempty"`
	Created    string                     `json:"created,omitempty"`
	Bench      int                        `json:"bench,omitempty"`
	Bodies     []json.RawMessage          `json:"bodies"`
}

// jsAnswer is what it says.
type jsAnswer struct {
	Results []struct {
		Options, Document, Signed, Error string
		Verified, Compacted              bool
	} `json:"results"`
	Milliseconds []float64 `json:"milliseconds"`
}

func (j jsJob) run(t testing.TB) jsAnswer {
	t.Helper()
	modules := testpeer.Modules(t)
	if _, err := os.Stat(filepath.Join(modules, "jsonld9", "package.json")); err != nil {
		t.Fatalf("npm packages are missing (%v): run peer/testpeer/install.sh", err)
	}
	j.Contexts = map[string]json.RawMessage{}
	for url, document := range contextfiles.Files() {
		j.Contexts[url] = document
	}
	input, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), testpeer.Node(t), "testdata/jsonld.mjs")
	cmd.Env = append(os.Environ(), "SHOAL_NPM_DIR="+filepath.Dir(modules))
	cmd.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("jsonld.mjs: %v: %s", err, stderr.String())
	}
	var answer jsAnswer
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// jsKeys is a job with a key.
func jsKeys(t testing.TB, key *rsa.PrivateKey, major int) jsJob {
	t.Helper()
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return jsJob{
		Major:      major,
		PublicKey:  string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
		PrivateKey: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		Creator:    testActor, Created: time.Now().UTC().Format(createdLayout),
	}
}
