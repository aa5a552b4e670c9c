// SPDX-License-Identifier: AGPL-3.0-or-later

package httpsig

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	requestTarget = "(request-target)"
	createdField  = "(created)"
	expiresField  = "(expires)"
)

// readCavage reads a signature of draft-cavage-http-signatures-12 from the Signature or the
// Authorization header (§3.1, §4.1).
func readCavage(r *http.Request) (*claim, error) {
	values := r.Header.Values("Signature")
	if len(values) == 0 {
		if scheme, rest, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Signature") {
			values = []string{rest}
		}
	}
	if len(values) != 1 {
		return nil, ErrMissing
	}
	parameters, err := parseParameters(values[0])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMissing, err)
	}
	c := &claim{keyID: parameters["keyId"]}
	if c.signature, err = base64.StdEncoding.Strict().DecodeString(parameters["signature"]); err != nil || len(c.signature) == 0 {
		return nil, fmt.Errorf("%w: the signature is no base64", ErrMissing)
	}
	switch algorithm := strings.ToLower(parameters["algorithm"]); algorithm {
	case "rsa-sha256":
		c.algorithm = rsaSHA256
	case "rsa-sha512":
		c.algorithm = rsaSHA512
	case "hs2019", "":
		c.algorithm = anyRSA
	default:
		c.err = fmt.Errorf("%w: the algorithm %.40q", ErrBad, algorithm)
	}
	for name := range strings.FieldsSeq(parameters["headers"]) {
		c.covered = append(c.covered, strings.ToLower(name))
	}
	if c.err == nil {
		c.err = c.cavage(r, parameters)
	}
	return c, nil
}

// cavage fills in the times and the text, and checks what is covered.
func (c *claim) cavage(r *http.Request, parameters map[string]string) error {
	covers := func(name string) bool { return slices.Contains(c.covered, name) }
	if !covers(requestTarget) || !covers("host") {
		return fmt.Errorf("%w: %s and host must be signed", ErrComponents, requestTarget)
	}
	if needsDigest(r) && !covers("digest") {
		return fmt.Errorf("%w: the digest must be signed", ErrComponents)
	}
	if !covers("date") && !covers(createdField) {
		return fmt.Errorf("%w: date or %s must be signed", ErrComponents, createdField)
	}
	if covers("date") {
		t, err := http.ParseTime(r.Header.Get("Date"))
		if err != nil {
			return fmt.Errorf("%w: the date cannot be read", ErrSkew)
		}
		c.times = append(c.times, t)
	}
	for name, field := range map[string]string{"created": createdField, "expires": expiresField} {
		text, ok := parameters[name]
		if !ok {
			if covers(field) {
				return fmt.Errorf("%w: %s is signed but not given", ErrComponents, field)
			}
			continue
		}
		t, err := unixTime(text)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrSkew, name, err)
		}
		if name == "created" {
			c.times = append(c.times, t)
		} else {
			c.expires = t
		}
	}
	text, err := cavageText(r, c.covered, parameters["created"], parameters["expires"])
	c.texts = []string{text}
	return err
}

// unixTime reads seconds since 1970, with or without a fraction (§2.1.4, §2.1.5).
func unixTime(text string) (time.Time, error) {
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || seconds < 0 || seconds > 1<<40 { // NaN fails no comparison, but has no digits
		return time.Time{}, errors.New("no time")
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }) {
		return time.Time{}, errors.New("no time")
	}
	return time.Unix(0, 0).Add(time.Duration(seconds * float64(time.Second))), nil
}

// cavageText is what is signed (§2.3).
func cavageText(r *http.Request, covered []string, created, expires string) (string, error) {
	lines := make([]string, 0, len(covered))
	for i, name := range covered {
		if slices.Contains(covered[:i], name) {
			return "", fmt.Errorf("%w: %.40q is named twice", ErrComponents, name)
		}
		var value string
		ok := true
		switch name {
		case requestTarget:
			value = strings.ToLower(r.Method) + " " + target(r)
		case "host":
			value, ok = r.Host, r.Host != ""
		case createdField:
			value = created
		case expiresField:
			value = expires
		default:
			value, ok = joined(r.Header, name)
		}
		if !ok || strings.HasPrefix(name, "(") && value == "" {
			return "", fmt.Errorf("%w: the request has no %.40q", ErrComponents, name)
		}
		lines = append(lines, name+": "+value)
	}
	return strings.Join(lines, "\n"), nil
}

// target is the path and query as they were sent.
func target(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	if u, err := url.Parse(r.RequestURI); err == nil && u.Host != "" { // absolute form
		return u.RequestURI()
	}
	return r.URL.RequestURI()
}

// parseParameters reads name="value" and name=value, separated by commas (§2.2).
func parseParameters(text string) (map[string]string, error) {
	if len(text) > maxHeader {
		return nil, errors.New("the header is too long")
	}
	all := make(map[string]string)
	for text = strings.TrimSpace(text); text != ""; {
		name, rest, ok := strings.Cut(text, "=")
		if name = strings.TrimSpace(name); !ok || name == "" || strings.ContainsAny(name, "\", \t") {
			return nil, errors.New("a parameter without a name or value")
		}
		rest = strings.TrimLeft(rest, " \t")
		var value string
		if strings.HasPrefix(rest, `"`) {
			if value, rest, ok = strings.Cut(rest[1:], `"`); !ok || strings.Contains(value, `\`) {
				return nil, fmt.Errorf("the parameter %.40q has no end", name)
			}
		} else if end := strings.IndexByte(rest, ','); end >= 0 {
			value, rest = strings.TrimSpace(rest[:end]), rest[end:]
		} else {
			value, rest = strings.TrimSpace(rest), ""
		}
		if _, twice := all[name]; twice {
			return nil, fmt.Errorf("the parameter %.40q is given twice", name)
		}
		all[name] = value
		if rest = strings.TrimLeft(rest, " \t"); rest != "" {
			if rest[0] != ',' || strings.TrimSpace(rest[1:]) == "" {
				return nil, errors.New("parameters without a comma between them")
			}
			rest = rest[1:]
		}
		text = rest
	}
	return all, nil
}
