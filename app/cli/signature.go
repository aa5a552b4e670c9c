// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"shoal/app/core"
	"shoal/assets/contexts"
	"shoal/instance/federation/httpsig"
	"shoal/instance/federation/ldsig"
)

// maxVector bounds a vector's file, in bytes.
const maxVector = 8 << 20

// signatureCommand checks captured posts.
type signatureCommand struct {
	Vectors []string `arg:"" name:"vector" help:"Captured posts: JSON files with method, path, headers, bodyBase64, httpPublicKeyPem and ld.publicKeyPem."`
	At      string   `help:"The time to check the HTTP signatures' dates against (30 min around it are allowed), as 2026-11-22T15:25:29Z. Default: each post's own date, so that old captures can be checked." placeholder:"TIME"`
}

// signatureVector is what is read of a captured post.
type signatureVector struct {
	Method           string            `json:"method"`
	Path             string            `json:"path"`
	Headers          map[string]string `json:"headers"`
	BodyBase64       *string           `json:"bodyBase64"`
	Body             json.RawMessage   `json:"body"`
	HTTPPublicKeyPem string            `json:"httpPublicKeyPem"`
	LD               *struct {
		PublicKeyPem string `json:"publicKeyPem"`
		Creator      string `json:"creator"`
	} `json:"ld"`
}

// signatureResult is the event. LD is false also where the body has no Linked Data signature, which
// is no failure: LDSigned tells.
type signatureResult struct {
	Event        string `json:"event"`
	File         string `json:"file"`
	HTTP         bool   `json:"http"`
	Digest       bool   `json:"digest"`
	LD           bool   `json:"ld"`
	LDSigned     bool   `json:"ldSigned"`
	OptionsHash  string `json:"optionsHash"`
	DocumentHash string `json:"documentHash"`
	Reason       string `json:"reason,omitempty"` // why one of them is false
}

func (c *signatureCommand) run(ctx context.Context, r *run) error {
	var at time.Time
	if c.At != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, c.At); err != nil {
			return &usageError{text: fmt.Sprintf("--at %q is no time: write it as 2026-11-22T15:25:29Z", c.At)}
		}
	}
	suite, err := ldsig.New(ldsig.Options{Contexts: contexts.Files()})
	if err != nil {
		return err
	}
	bad := 0
	for _, file := range c.Vectors {
		path := file
		if !filepath.IsAbs(path) {
			path = filepath.Join(r.env.Cwd, path)
		}
		vector, body, err := readVector(path)
		if err != nil {
			return &core.Error{Code: "badVector", Message: fmt.Sprintf("%s cannot be checked: %v", file, err), Err: err}
		}
		result := vector.check(ctx, suite, body, at)
		result.File = file
		if !result.HTTP || !result.Digest || result.LDSigned && !result.LD {
			bad++
		}
		r.out.event(result)
		r.out.fact("%s", result.line())
	}
	if bad > 0 {
		return &core.Error{Code: "badSignature", Message: fmt.Sprintf("%d of %d posts are not validly signed: the lines on stdout say why", bad, len(c.Vectors))}
	}
	return r.out.err
}

// line is the result for people.
func (s signatureResult) line() string {
	yes := map[bool]string{true: "good", false: "BAD"}
	ld := yes[s.LD]
	if !s.LDSigned {
		ld = "none"
	}
	text := fmt.Sprintf("%s: HTTP signature %s, digest %s, Linked Data signature %s", s.File, yes[s.HTTP], yes[s.Digest], ld)
	if s.Reason != "" {
		text += " (" + s.Reason + ")"
	}
	return text
}

func readVector(path string) (v signatureVector, body []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return v, nil, err
	}
	defer func() { _ = f.Close() }() // only read from
	text, err := io.ReadAll(io.LimitReader(f, maxVector+1))
	if err != nil {
		return v, nil, err
	}
	if len(text) > maxVector {
		return v, nil, fmt.Errorf("it is larger than %s", human(maxVector))
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return v, nil, fmt.Errorf("it is no vector: %w", err)
	}
	if v.Method == "" || v.Path == "" || len(v.Headers) == 0 {
		return v, nil, errors.New("it is no vector: method, path or headers are missing")
	}
	if v.BodyBase64 == nil {
		return v, v.Body, nil
	}
	if body, err = base64.StdEncoding.DecodeString(*v.BodyBase64); err != nil {
		return v, nil, fmt.Errorf("its bodyBase64 is no base64: %w", err)
	}
	return v, body, nil
}

// check checks one post. at is the clock; zero is the post's own date.
func (v *signatureVector) check(ctx context.Context, suite *ldsig.Suite, body []byte, at time.Time) signatureResult {
	result := signatureResult{Event: "signature"}
	var reasons []string
	wrong := func(what string, err error) {
		reasons = append(reasons, what+": "+oneLine(err))
	}
	signature, digest := v.http(ctx, body, at)
	if result.HTTP = signature == nil; !result.HTTP {
		wrong("HTTP", signature)
	}
	if result.Digest = digest == nil; !result.Digest {
		wrong("digest", digest)
	}
	hashes, err := suite.Hashes(ctx, body)
	result.OptionsHash, result.DocumentHash = hashes.OptionsHash, hashes.DocumentHash
	result.LDSigned = !errors.Is(err, ldsig.ErrNoSignature)
	if err == nil {
		err = v.linkedData(ctx, suite, body)
	}
	if result.LD = err == nil; !result.LD {
		wrong("Linked Data", err)
	}
	result.Reason = strings.Join(reasons, "; ")
	return result
}

func (v *signatureVector) http(ctx context.Context, body []byte, at time.Time) (signature, digest error) {
	target, err := url.ParseRequestURI(v.Path)
	if err != nil {
		return fmt.Errorf("reading the path: %w", err), nil
	}
	request := &http.Request{
		Method: v.Method, URL: target, RequestURI: v.Path, Header: http.Header{}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}
	for name, value := range v.Headers {
		request.Header.Set(name, value)
	}
	request.Host = request.Header.Get("Host")
	if at.IsZero() {
		if at, err = http.ParseTime(request.Header.Get("Date")); err != nil {
			at = time.Now()
		}
	}
	verifier := httpsig.NewVerifier(httpsig.Options{
		Now: func() time.Time { return at },
		Keys: func(_ context.Context, keyID string, _ bool) (httpsig.Key, error) {
			key, err := publicKey(v.HTTPPublicKeyPem)
			return httpsig.Key{Public: key, Owner: keyID}, err
		},
	})
	return verifier.Inspect(ctx, request, body)
}

func (v *signatureVector) linkedData(ctx context.Context, suite *ldsig.Suite, body []byte) error {
	text := v.HTTPPublicKeyPem
	if v.LD != nil && v.LD.PublicKeyPem != "" {
		text = v.LD.PublicKeyPem
	}
	key, err := publicKey(text)
	if err != nil {
		return err
	}
	if v.LD != nil && v.LD.Creator != "" {
		creator, _, err := ldsig.Creator(body)
		if err != nil {
			return err
		}
		if wanted, _, _ := strings.Cut(v.LD.Creator, "#"); creator != wanted {
			return fmt.Errorf("signed by %s instead of %s", creator, wanted)
		}
	}
	return suite.Verify(ctx, body, key)
}

// publicKey reads an RSA key in SPKI PEM.
func publicKey(text string) (*rsa.PublicKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("the vector has no public key in PEM")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reading the public key: %w", err)
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("the public key is no RSA key")
	}
	return key, nil
}
