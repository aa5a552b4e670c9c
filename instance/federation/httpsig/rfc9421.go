// SPDX-License-Identifier: AGPL-3.0-or-later

package httpsig

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// readRFC9421 reads an RFC 9421 signature: the first of those in Signature-Input that names a key.
func readRFC9421(r *http.Request) (*claim, error) {
	text, _ := joined(r.Header, "Signature-Input")
	inputs, err := parseDictionary(text)
	if err != nil {
		return nil, fmt.Errorf("%w: reading Signature-Input: %w", ErrMissing, err)
	}
	text, _ = joined(r.Header, "Signature")
	signatures, err := parseDictionary(text)
	if err != nil {
		return nil, fmt.Errorf("%w: reading Signature: %w", ErrMissing, err)
	}
	for i := range inputs {
		input := &inputs[i].value
		keyID := input.parameter("keyid")
		if input.kind != sfList || keyID == nil || keyID.kind != sfString {
			continue
		}
		for j := range signatures {
			if s := &signatures[j]; s.name == inputs[i].name && s.value.kind == sfBytes {
				c := &claim{keyID: keyID.text, signature: s.value.bytes}
				c.err = c.rfc9421(r, input)
				return c, nil
			}
		}
		break
	}
	return nil, fmt.Errorf("%w: no key id, or no signature of that name", ErrMissing)
}

// rfc9421 fills in algorithm, times and text, and checks what is covered.
func (c *claim) rfc9421(r *http.Request, input *sfValue) error {
	for i := range input.items {
		item := &input.items[i]
		if item.kind != sfString || len(item.parameters) > 0 {
			return fmt.Errorf("%w: the component %.80s is not supported", ErrComponents, item.String())
		}
		if slices.Contains(c.covered, item.text) {
			return fmt.Errorf("%w: %.40q is named twice", ErrComponents, item.text)
		}
		c.covered = append(c.covered, item.text)
	}
	if err := c.covers9421(r); err != nil {
		return err
	}
	if err := c.times9421(r, input); err != nil {
		return err
	}
	switch alg := input.parameter("alg"); {
	case alg == nil:
		c.algorithm = anyRSA
	case alg.text == "rsa-v1_5-sha256":
		c.algorithm = rsaSHA256
	case alg.text == "rsa-pss-sha512":
		c.algorithm = rsaPSSSHA512
	default:
		return fmt.Errorf("%w: the algorithm %.40q", ErrBad, alg.text)
	}
	// Behind a proxy that ends TLS the request does not tell its scheme.
	schemes := []string{"https"}
	if r.TLS == nil {
		schemes = []string{"https", "http"}
	}
	for _, scheme := range schemes {
		text, err := rfc9421Text(r, scheme, c.covered, input)
		if err != nil {
			return err
		}
		if !slices.Contains(c.texts, text) {
			c.texts = append(c.texts, text)
		}
	}
	return nil
}

// covers9421 checks that method, path, query, host and body are covered, one way or another.
func (c *claim) covers9421(r *http.Request) error {
	covers := func(names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return slices.Contains(c.covered, name) })
	}
	hasQuery := strings.Contains(target(r), "?")
	switch {
	case !covers("@method"):
		return fmt.Errorf("%w: @method must be signed", ErrComponents)
	case !covers("@target-uri", "@authority", "host"):
		return fmt.Errorf("%w: @target-uri, @authority or host must be signed", ErrComponents)
	case !covers("@target-uri", "@request-target") && (!covers("@path") || hasQuery && !covers("@query")):
		return fmt.Errorf("%w: @target-uri or @path and @query must be signed", ErrComponents)
	case needsDigest(r) && !covers("content-digest", "digest"):
		return fmt.Errorf("%w: content-digest must be signed", ErrComponents)
	}
	return nil
}

func (c *claim) times9421(r *http.Request, input *sfValue) error {
	if slices.Contains(c.covered, "date") {
		t, err := http.ParseTime(r.Header.Get("Date"))
		if err != nil {
			return fmt.Errorf("%w: the date cannot be read", ErrSkew)
		}
		c.times = append(c.times, t)
	}
	if created := input.parameter("created"); created != nil {
		if created.kind != sfInteger {
			return fmt.Errorf("%w: created is no time", ErrSkew)
		}
		c.times = append(c.times, time.Unix(created.integer, 0))
	}
	if expires := input.parameter("expires"); expires != nil {
		if expires.kind != sfInteger {
			return fmt.Errorf("%w: expires is no time", ErrSkew)
		}
		c.expires = time.Unix(expires.integer, 0)
	}
	return nil
}

// rfc9421Text is the signature base (RFC 9421 §2.5).
func rfc9421Text(r *http.Request, scheme string, covered []string, input *sfValue) (string, error) {
	var b strings.Builder
	for _, name := range covered {
		value, ok := component(r, scheme, name)
		if !ok {
			return "", fmt.Errorf("%w: the request has no %.40q", ErrComponents, name)
		}
		b.WriteString(`"` + name + `": ` + value + "\n")
	}
	b.WriteString(`"@signature-params": ` + input.String())
	return b.String(), nil
}

// component is the value of a derived component (RFC 9421 §2.2) or of a header (§2.1).
func component(r *http.Request, scheme, name string) (string, bool) {
	path := target(r)
	authority := strings.ToLower(r.Host)
	port := map[string]string{"https": ":443", "http": ":80"}[scheme]
	authority = strings.TrimSuffix(authority, port)
	switch name {
	case "@method":
		return r.Method, true
	case "@target-uri":
		return scheme + "://" + r.Host + path, r.Host != ""
	case "@authority":
		return authority, authority != ""
	case "@scheme":
		return scheme, true
	case "@request-target":
		return path, true
	case "@path":
		path, _, _ = strings.Cut(path, "?")
		return path, path != ""
	case "@query":
		_, query, _ := strings.Cut(path, "?")
		return "?" + query, true
	case "host":
		return r.Host, r.Host != ""
	}
	if strings.HasPrefix(name, "@") || name != strings.ToLower(name) || name != url.PathEscape(name) {
		return "", false
	}
	return joined(r.Header, name)
}
