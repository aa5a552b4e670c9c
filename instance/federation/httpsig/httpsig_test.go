// SPDX-License-Identifier: AGPL-3.0-or-later

package httpsig

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	testActor = "https://a.example/accounts/alice"
	testHost  = "b.example"
)

var testNow = time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)

func newKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func verifier(key *rsa.PublicKey) *Verifier {
	return NewVerifier(Options{
		Now: func() time.Time { return testNow }, Host: testHost,
		Keys: func(_ context.Context, keyID string, _ bool) (Key, error) {
			return Key{Public: key, Owner: keyID}, nil
		},
	})
}

// The captured posts of PeerTube, each as it stands and with one thing changed.
func TestVectors(t *testing.T) {
	files, err := filepath.Glob("../ldsig/testdata/vectors/*.json")
	if err != nil || len(files) < 20 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var v struct {
				Method, Path, BodyBase64, HTTPPublicKeyPem, SigningString string
				Headers                                                   map[string]string
				HTTPSignature                                             struct{ KeyID string }
			}
			if err := json.Unmarshal(text, &v); err != nil {
				t.Fatal(err)
			}
			body, err := base64.StdEncoding.DecodeString(v.BodyBase64)
			if err != nil {
				t.Fatal(err)
			}
			block, _ := pem.Decode([]byte(v.HTTPPublicKeyPem))
			parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			at, err := http.ParseTime(v.Headers["date"])
			if err != nil {
				t.Fatal(err)
			}
			check := NewVerifier(Options{
				Now: func() time.Time { return at.Add(29 * time.Minute) },
				Keys: func(_ context.Context, keyID string, _ bool) (Key, error) {
					return Key{Public: parsed.(*rsa.PublicKey), Owner: keyID}, nil
				},
			})
			request := func() *http.Request {
				r := httptest.NewRequest(v.Method, v.Path, nil)
				for name, value := range v.Headers {
					r.Header.Set(name, value)
				}
				r.Host = v.Headers["host"]
				return r
			}
			r := request()
			c, err := readCavage(r)
			if err != nil || c.texts[0] != v.SigningString {
				t.Errorf("%v: %q instead of %q", err, c.texts, v.SigningString)
			}
			key, err := check.Verify(t.Context(), r, body)
			if err != nil || key.Owner != v.HTTPSignature.KeyID {
				t.Error(key.Owner, err)
			}
			if id, err := KeyID(r); err != nil || id != v.HTTPSignature.KeyID {
				t.Error(id, err)
			}
			if _, err := check.Verify(t.Context(), r, append([]byte(" "), body...)); !errors.Is(err, ErrDigest) {
				t.Error("another body:", err)
			}
			for name, change := range map[string]func(r *http.Request){
				"path":   func(r *http.Request) { r.RequestURI += "x" },
				"method": func(r *http.Request) { r.Method = http.MethodPut },
				"host":   func(r *http.Request) { r.Host = "127.0.0.1:9003" },
				"date":   func(r *http.Request) { r.Header.Set("Date", at.Add(time.Second).Format(http.TimeFormat)) },
				"signature": func(r *http.Request) {
					r.Header.Set("Signature", strings.Replace(r.Header.Get("Signature"), `signature="`, `signature="AAAA`, 1))
				},
			} {
				r := request()
				change(r)
				if _, err := check.Verify(t.Context(), r, body); !errors.Is(err, ErrBad) {
					t.Errorf("another %s: %v", name, err)
				}
			}
		})
	}
}

// cavageHeader signs a request as a foreign server may.
func cavageHeader(t *testing.T, r *http.Request, key *rsa.PrivateKey, keyID, parameters, headers string, lines ...string) {
	t.Helper()
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Signature", `keyId="`+keyID+`",`+parameters+`headers="`+headers+`",signature="`+base64.StdEncoding.EncodeToString(signature)+`"`)
}

// What PeerTube was seen to accept and refuse of signed posts.
func TestCavage(t *testing.T) {
	key := newKey(t)
	body := []byte(`{"type":"Follow"}`)
	const (
		rsa256  = `algorithm="rsa-sha256",`
		target  = "(request-target): post /inbox"
		host    = "host: b.example"
		created = "1795359600" // testNow
	)
	date := func(d time.Duration) string { return testNow.Add(d).Format(http.TimeFormat) }
	for name, c := range map[string]struct {
		keyID, parameters, headers string
		date, digest               string
		lines                      []string
		want                       error
	}{
		"as PeerTube":             {headers: "(request-target) host date digest", lines: []string{target, host, "date: " + date(0), "digest: " + digest(body)}},
		"another order":           {headers: "digest date host (request-target)", lines: []string{"digest: " + digest(body), "date: " + date(0), host, target}},
		"more headers":            {headers: "(request-target) host date digest content-type", lines: []string{target, host, "date: " + date(0), "digest: " + digest(body), "content-type: application/activity+json"}},
		"25 min old":              {date: date(-25 * time.Minute), headers: "(request-target) host date digest", lines: []string{target, host, "date: " + date(-25*time.Minute), "digest: " + digest(body)}},
		"25 min ahead":            {date: date(25 * time.Minute), headers: "(request-target) host date digest", lines: []string{target, host, "date: " + date(25*time.Minute), "digest: " + digest(body)}},
		"1 h old":                 {date: date(-time.Hour), headers: "(request-target) host date digest", lines: []string{target, host, "date: " + date(-time.Hour), "digest: " + digest(body)}, want: ErrSkew},
		"1 h ahead":               {date: date(time.Hour), headers: "(request-target) host date digest", lines: []string{target, host, "date: " + date(time.Hour), "digest: " + digest(body)}, want: ErrSkew},
		"no date":                 {date: "-", headers: "(request-target) host date digest", lines: []string{target}, want: ErrSkew},
		"created":                 {parameters: rsa256 + "created=" + created + ",", headers: "(request-target) host (created) digest", lines: []string{target, host, "(created): " + created, "digest: " + digest(body)}},
		"created, hs2019":         {parameters: `algorithm="hs2019",created=` + created + ",", headers: "(request-target) host (created) digest", lines: []string{target, host, "(created): " + created, "digest: " + digest(body)}},
		"created, 1 h old":        {parameters: rsa256 + "created=1795356000,", headers: "(request-target) host (created) digest", lines: []string{target, host, "(created): 1795356000", "digest: " + digest(body)}, want: ErrSkew},
		"created, not given":      {headers: "(request-target) host (created) digest", lines: []string{target, host, "(created): ", "digest: " + digest(body)}, want: ErrComponents},
		"expired":                 {parameters: rsa256 + "created=" + created + ",expires=1795359599,", headers: "(request-target) host (created) (expires) digest", lines: []string{target, host, "(created): " + created, "(expires): 1795359599", "digest: " + digest(body)}, want: ErrSkew},
		"created is NaN":          {parameters: rsa256 + "created=NaN,", headers: "(request-target) host (created) digest", lines: []string{target, host, "(created): NaN", "digest: " + digest(body)}, want: ErrSkew},
		"no digest signed":        {headers: "(request-target) host date", lines: []string{target, host, "date: " + date(0)}, want: ErrComponents},
		"no host signed":          {headers: "(request-target) date digest", lines: []string{target, "date: " + date(0), "digest: " + digest(body)}, want: ErrComponents},
		"no time signed":          {headers: "(request-target) host digest", lines: []string{target, host, "digest: " + digest(body)}, want: ErrComponents},
		"no target signed":        {headers: "host date digest", lines: []string{host, "date: " + date(0), "digest: " + digest(body)}, want: ErrComponents},
		"no headers":              {headers: "", lines: []string{"date: " + date(0)}, want: ErrComponents},
		"a header that is not":    {headers: "(request-target) host date digest x-none", lines: []string{target}, want: ErrComponents},
		"a header twice":          {headers: "(request-target) host date digest date", lines: []string{target}, want: ErrComponents},
		"no digest":               {digest: "-", headers: "(request-target) host date digest", lines: []string{target, host, "date: " + date(0), "digest: "}, want: ErrComponents},
		"a wrong digest":          {digest: digest([]byte("x")), headers: "(request-target) host date digest", lines: []string{target, host, "date: " + date(0), "digest: " + digest([]byte("x"))}, want: ErrDigest},
		"lower-case digest":       {digest: "sha-256=" + digest(body)[8:], headers: "(request-target) host date digest", lines: []string{target, host, "date: " + date(0), "digest: sha-256=" + digest(body)[8:]}},
		"an unknown digest":       {digest: "MD5=AAAA", headers: "(request-target) host date digest", lines: []string{target, host, "date: " + date(0), "digest: MD5=AAAA"}, want: ErrDigest},
		"a right and a wrong one": {digest: digest(body) + ",SHA-512=AAAA", headers: "(request-target) host date digest", lines: []string{target, host, "date: " + date(0), "digest: " + digest(body) + ",SHA-512=AAAA"}, want: ErrDigest},
		"#main-key":               {keyID: testActor + "#main-key", headers: "(request-target) host date digest", lines: []string{target, host, "date: " + date(0), "digest: " + digest(body)}},
		"acct":                    {keyID: "acct:alice@a.example", headers: "(request-target) host date digest", lines: []string{target, host, "date: " + date(0), "digest: " + digest(body)}},
		"no key id":               {keyID: "alice", headers: "(request-target) host date digest", lines: []string{target}, want: ErrMissing},
		"another algorithm":       {parameters: `algorithm="ed25519",`, headers: "(request-target) host date digest", lines: []string{target}, want: ErrBad},
		"another text":            {headers: "(request-target) host date digest", lines: []string{target}, want: ErrBad},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/inbox", nil)
			r.Host = testHost
			r.Header.Set("Content-Type", "application/activity+json")
			r.Header.Set("Date", date(0))
			r.Header.Set("Digest", digest(body))
			for name, value := range map[string]string{"Date": c.date, "Digest": c.digest} {
				if value == "-" {
					r.Header.Del(name)
				} else if value != "" {
					r.Header.Set(name, value)
				}
			}
			if c.keyID == "" {
				c.keyID = testActor
			}
			if c.parameters == "" {
				c.parameters = rsa256
			}
			cavageHeader(t, r, key, c.keyID, c.parameters, c.headers, c.lines...)
			got, err := verifier(&key.PublicKey).Verify(t.Context(), r, body)
			if !errors.Is(err, c.want) || c.want == nil && (err != nil || got.Owner != c.keyID) {
				t.Errorf("%v instead of %v", err, c.want)
			}
		})
	}
}

func TestSignThenVerify(t *testing.T) {
	key := newKey(t)
	for _, body := range [][]byte{nil, []byte(`{}`), {}} {
		method := http.MethodPost
		if body == nil {
			method = http.MethodGet
		}
		out, err := http.NewRequestWithContext(t.Context(), method, "https://b.example/videos/watch/1?page=2", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := Sign(out, testActor, key, body, testNow); err != nil {
			t.Fatal(err)
		}
		in := httptest.NewRequest(method, "/videos/watch/1?page=2", nil)
		in.Host, in.Header = testHost, out.Header
		got, err := verifier(&key.PublicKey).Verify(t.Context(), in, body)
		if err != nil || got.Owner != testActor {
			t.Error(got.Owner, err)
		}
		want := `headers="(request-target) host date`
		if body != nil {
			want += " digest"
		}
		if s := out.Header.Get("Signature"); !strings.HasPrefix(s, `keyId="`+testActor+`",algorithm="rsa-sha256",`+want+`",signature="`) {
			t.Error(s)
		}
		in.Host = "c.example"
		if _, err := verifier(&key.PublicKey).Verify(t.Context(), in, body); !errors.Is(err, ErrComponents) {
			t.Error("for another host:", err)
		}
	}
}

// A server that was rebuilt has new keys: the key is asked for again, once.
func TestRefetch(t *testing.T) {
	old, fresh := newKey(t), newKey(t)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Host = testHost
	if err := Sign(r, testActor, fresh, nil, testNow); err != nil {
		t.Fatal(err)
	}
	var asked []bool
	keys := func(_ context.Context, keyID string, refresh bool) (Key, error) {
		asked = append(asked, refresh)
		if refresh {
			return Key{Public: &fresh.PublicKey, Owner: keyID}, nil
		}
		return Key{Public: &old.PublicKey, Owner: keyID}, nil
	}
	v := NewVerifier(Options{Keys: keys, Now: func() time.Time { return testNow }})
	if _, err := v.Verify(t.Context(), r, nil); err != nil || len(asked) != 2 || asked[0] || !asked[1] {
		t.Error(asked, err)
	}
	asked, fresh = nil, old
	if _, err := v.Verify(t.Context(), r, nil); !errors.Is(err, ErrBad) || len(asked) != 2 {
		t.Error(asked, err)
	}
	gone := errors.New("gone")
	v = NewVerifier(Options{
		Now:  func() time.Time { return testNow },
		Keys: func(context.Context, string, bool) (Key, error) { return Key{}, gone },
	})
	if _, err := v.Verify(t.Context(), r, nil); !errors.Is(err, ErrKey) || !errors.Is(err, gone) {
		t.Error(err)
	}
}

// A request that cannot be right costs no key.
func TestNoKeyIsAskedForInVain(t *testing.T) {
	key := newKey(t)
	v := NewVerifier(Options{
		Now: func() time.Time { return testNow },
		Keys: func(context.Context, string, bool) (Key, error) {
			t.Error("a key was asked for")
			return Key{}, nil
		},
	})
	r := httptest.NewRequest(http.MethodPost, "/inbox", nil)
	if _, err := v.Verify(t.Context(), r, nil); !errors.Is(err, ErrMissing) {
		t.Error(err)
	}
	r.Host = testHost
	if err := Sign(r, testActor, key, []byte("a"), testNow); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(t.Context(), r, []byte("b")); !errors.Is(err, ErrDigest) {
		t.Error(err)
	}
	if err := Sign(r, testActor, key, []byte("a"), testNow.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(t.Context(), r, []byte("a")); !errors.Is(err, ErrSkew) {
		t.Error(err)
	}
}

func TestRFC9421(t *testing.T) {
	key := newKey(t)
	body := []byte(`{"type":"Follow"}`)
	sum := sha256.Sum256(body)
	contentDigest := "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
	const (
		usual  = `("@method" "@target-uri" "content-digest");created=1795359600;keyid="` + testActor + `"`
		method = "\"@method\": POST\n"
		uri    = "\"@target-uri\": https://b.example/inbox?x=1\n"
	)
	line := "\"content-digest\": " + contentDigest + "\n"
	for name, c := range map[string]struct {
		params, lines string
		pss           bool
		digest        string
		signature     string
		want          error
	}{
		"Mastodon's":            {params: usual, lines: method + uri + line},
		"with alg":              {params: usual + `;alg="rsa-v1_5-sha256"`, lines: method + uri + line},
		"PSS":                   {params: usual + `;alg="rsa-pss-sha512"`, lines: method + uri + line, pss: true},
		"PSS, not said":         {params: usual, lines: method + uri + line, pss: true},
		"PSS, said otherwise":   {params: usual + `;alg="rsa-v1_5-sha256"`, lines: method + uri + line, pss: true, want: ErrBad},
		"another alg":           {params: usual + `;alg="hmac-sha256"`, lines: method + uri + line, want: ErrBad},
		"http":                  {params: usual, lines: method + "\"@target-uri\": http://b.example/inbox?x=1\n" + line},
		"in parts":              {params: `("@method" "@authority" "@path" "@query" "content-digest" "date");keyid="` + testActor + `"`, lines: method + "\"@authority\": b.example\n\"@path\": /inbox\n\"@query\": ?x=1\n" + line + "\"date\": " + testNow.Format(http.TimeFormat) + "\n"},
		"host and target":       {params: `("@method" "host" "@request-target" "content-digest");created=1795359600;expires=1795359660;nonce="a\"b";tag="x";keyid="` + testActor + `"`, lines: method + "\"host\": b.example\n\"@request-target\": /inbox?x=1\n" + line},
		"no query":              {params: `("@method" "@authority" "@path" "content-digest");created=1795359600;keyid="` + testActor + `"`, want: ErrComponents},
		"no method":             {params: `("@target-uri" "content-digest");created=1795359600;keyid="` + testActor + `"`, want: ErrComponents},
		"no host":               {params: `("@method" "@request-target" "content-digest");created=1795359600;keyid="` + testActor + `"`, want: ErrComponents},
		"no digest":             {params: `("@method" "@target-uri");created=1795359600;keyid="` + testActor + `"`, want: ErrComponents},
		"no time":               {params: `("@method" "@target-uri" "content-digest");keyid="` + testActor + `"`, want: ErrComponents},
		"old":                   {params: `("@method" "@target-uri" "content-digest");created=1795356000;keyid="` + testActor + `"`, lines: method + uri + line, want: ErrSkew},
		"expired":               {params: usual + ";expires=1795359599", lines: method + uri + line, want: ErrSkew},
		"no key id":             {params: `("@method" "@target-uri" "content-digest");created=1795359600`, want: ErrMissing},
		"a component twice":     {params: `("@method" "@method" "@target-uri" "content-digest");created=1795359600;keyid="` + testActor + `"`, want: ErrComponents},
		"a component's options": {params: `("@method";req "@target-uri" "content-digest");created=1795359600;keyid="` + testActor + `"`, want: ErrComponents},
		"a header that is not":  {params: `("@method" "@target-uri" "content-digest" "x-none");created=1795359600;keyid="` + testActor + `"`, want: ErrComponents},
		"a wrong digest":        {params: usual, digest: "sha-256=:AAAA:", want: ErrDigest},
		"an unknown digest":     {params: usual, digest: "md5=:AAAA:", want: ErrDigest},
		"a digest that is none": {params: usual, digest: "sha-256=AAAA", want: ErrDigest},
		"another name":          {params: usual, signature: "sig2=:AAAA:", want: ErrMissing},
		"no list":               {params: `"x";keyid="` + testActor + `"`, want: ErrMissing},
		"another text":          {params: usual, lines: method + line, want: ErrBad},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/inbox?x=1", nil)
			r.Host = testHost
			r.Header.Set("Date", testNow.Format(http.TimeFormat))
			r.Header.Set("Content-Digest", contentDigest)
			if c.digest != "" {
				r.Header.Set("Content-Digest", c.digest)
			}
			text := c.lines + `"@signature-params": ` + c.params
			var signature []byte
			var err error
			if c.pss {
				sum := sha512.Sum512([]byte(text))
				signature, err = rsa.SignPSS(rand.Reader, key, crypto.SHA512, sum[:], &rsa.PSSOptions{SaltLength: 64})
			} else {
				sum := sha256.Sum256([]byte(text))
				signature, err = rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
			}
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Signature-Input", "sig1="+c.params)
			r.Header.Set("Signature", "sig1=:"+base64.StdEncoding.EncodeToString(signature)+":")
			if c.signature != "" {
				r.Header.Set("Signature", c.signature)
			}
			got, err := verifier(&key.PublicKey).Verify(t.Context(), r, body)
			if !errors.Is(err, c.want) || c.want == nil && (err != nil || got.Owner != testActor) {
				t.Errorf("%v instead of %v", err, c.want)
			}
		})
	}
}
