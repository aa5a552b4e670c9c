// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"shoal/peer/foreign"
)

const (
	maxWellKnown = 256 << 10 // bytes of a webfinger, host-meta or nodeinfo answer
	maxLinks     = 100
	acceptJRD    = "application/jrd+json, application/json"
	acceptXRD    = "application/xrd+xml, application/xml, text/xml"
)

var (
	errNoActor   = errors.New("it names no actor")
	errOther     = errors.New("it is about somebody else")
	errNoHandle  = errors.New("not of the form name@host")
	errNoLinks   = errors.New("it is not a list of links")
	errManyLinks = errors.New("it has too many links")
)

// jrd is a JSON Resource Descriptor (RFC 7033 §4.4), as far as it is used.
type jrd struct {
	Subject string `json:"subject"`
	Links   []link `json:"links"`
}

type link struct {
	Rel      string `json:"rel" xml:"rel,attr"`
	Type     string `json:"type" xml:"type,attr"`
	Href     string `json:"href" xml:"href,attr"`
	Template string `json:"template" xml:"template,attr"`
}

// Webfinger resolves name@host (also @name@host and acct:name@host) to the actor's URL (RFC 7033).
// Where the answer is about another name, as with a handle on another domain than its server, that
// name's own host has to say the same. Where a host has no webfinger, its host-meta (RFC 6415) may
// say where it is.
func (c *Client) Webfinger(ctx context.Context, handle string) (actorURL string, err error) {
	name, host, err := splitHandle(handle)
	if err != nil {
		return "", &Error{Code: CodeNotFound, URL: handle, Text: foreign.Clip(handle) + " is not of the form name@host: check the spelling.", Err: err}
	}
	actor, subject, err := c.finger(ctx, name, host)
	if err != nil {
		return "", err
	}
	otherName, otherHost, err := splitHandle(subject)
	if subject == "" || subject == actor || err == nil && strings.EqualFold(otherName, name) && strings.EqualFold(otherHost, host) {
		return actor, nil
	}
	other := func(cause error) error {
		text := fmt.Sprintf("%s calls %s@%s by another name (%s), which does not say the same: check the spelling.", host, foreign.Clip(name), host, foreign.Clip(subject))
		return &Error{Code: CodeWrongType, URL: handle, Text: text, Err: cause}
	}
	if err != nil {
		return "", other(err)
	}
	again, subject, err := c.finger(ctx, otherName, otherHost)
	if err != nil {
		return "", err
	}
	n, h, err := splitHandle(subject)
	if err != nil || !strings.EqualFold(n, otherName) || !strings.EqualFold(h, otherHost) || again != actor {
		return "", other(errOther)
	}
	return actor, nil
}

// splitHandle reads name@host, with "acct:" or "@" before it or not.
func splitHandle(handle string) (name, host string, err error) {
	handle = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(handle), "acct:"), "@")
	name, host, ok := strings.Cut(handle, "@")
	if !ok || name == "" || host == "" || len(handle) > 512 || strings.ContainsAny(name, " /?#%&") || strings.ContainsAny(host, "@ /?#%\\") {
		return "", "", errNoHandle
	}
	return name, strings.ToLower(host), nil
}

// finger asks a host about one of its names.
func (c *Client) finger(ctx context.Context, name, host string) (actor, subject string, err error) {
	resource := "acct:" + name + "@" + host
	path := "/.well-known/webfinger?resource=" + url.QueryEscape(resource)
	var e *Error
	answer, err := c.jrd(ctx, host, path)
	// Where host-meta leads is anybody's: nobody who has proved nothing sends this instance there.
	if _, unproved := UnprovedAsker(ctx); !unproved && errors.As(err, &e) && (e.Code == CodeNotFound || e.Code == CodeWrongType) {
		if template := c.hostMeta(ctx, host); template != "" {
			answer, err = c.jrdAt(ctx, strings.ReplaceAll(template, "{uri}", url.QueryEscape(resource)))
		}
	}
	if err != nil {
		if errors.As(err, &e) && e.Code == CodeNotFound {
			e.Text = fmt.Sprintf("%s knows nobody named %s: check the spelling.", host, foreign.Clip(name))
		}
		return "", "", err
	}
	for _, l := range answer.Links {
		if l.Rel != "self" || checkType(l.Type) != nil {
			continue
		}
		u, err := CheckURL(l.Href, c.opts.Dev)
		if err != nil {
			return "", "", err
		}
		return u.String(), answer.Subject, nil
	}
	text := fmt.Sprintf("%s at %s is nobody that can be followed from here.", foreign.Clip(name), host)
	return "", "", &Error{Code: CodeWrongType, URL: host, Text: text, Err: errNoActor}
}

// at asks a host for a path, over https; in development also over http.
func (c *Client) at(ctx context.Context, host, path, accept string, ok func(http.Header, []byte) error) error {
	q := question{accept: accept, max: maxWellKnown, ok: ok}
	_, _, _, err := c.get(ctx, "https://"+host+path, q)
	var e *Error
	if c.opts.Dev && errors.As(err, &e) && (e.Code == CodeInsecure || e.Code == CodeUnreachable) {
		_, _, _, err = c.get(ctx, "http://"+host+path, q)
	}
	return err
}

func (c *Client) jrd(ctx context.Context, host, path string) (answer jrd, err error) {
	err = c.at(ctx, host, path, acceptJRD, func(_ http.Header, body []byte) (err error) {
		answer, err = parseJRD(body)
		return err
	})
	return answer, err
}

func (c *Client) jrdAt(ctx context.Context, target string) (answer jrd, err error) {
	_, _, _, err = c.get(ctx, target, question{accept: acceptJRD, max: maxWellKnown, ok: func(_ http.Header, body []byte) (err error) {
		answer, err = parseJRD(body)
		return err
	}})
	return answer, err
}

// parseJRD reads webfinger's and nodeinfo's lists of links. Links of unexpected form are left out.
func parseJRD(body []byte) (jrd, error) {
	var lax struct {
		Subject any               `json:"subject"`
		Links   []json.RawMessage `json:"links"`
	}
	if err := json.Unmarshal(body, &lax); err != nil {
		return jrd{}, errNoLinks
	}
	if len(lax.Links) > maxLinks {
		return jrd{}, errManyLinks
	}
	var answer jrd
	answer.Subject, _ = lax.Subject.(string)
	for _, raw := range lax.Links {
		var l link
		if json.Unmarshal(raw, &l) == nil {
			answer.Links = append(answer.Links, l)
		}
	}
	return answer, nil
}

// hostMeta is the template of a host's webfinger, or "" (RFC 6415 §2).
func (c *Client) hostMeta(ctx context.Context, host string) (template string) {
	err := c.at(ctx, host, "/.well-known/host-meta", acceptXRD, func(_ http.Header, body []byte) (err error) {
		template, err = parseHostMeta(body)
		return err
	})
	if err != nil {
		return ""
	}
	return template
}

// parseHostMeta returns the template of the link to a host's webfinger. Its type is not looked at:
// PeerTube calls its JSON application/xrd+xml.
func parseHostMeta(body []byte) (string, error) {
	var xrd struct {
		XMLName xml.Name `xml:"XRD"`
		Links   []link   `xml:"Link"`
	}
	if err := xml.Unmarshal(body, &xrd); err != nil || len(xrd.Links) > maxLinks {
		return "", errNoLinks
	}
	for _, l := range xrd.Links {
		if l.Rel == "lrdd" && strings.Contains(l.Template, "{uri}") {
			return l.Template, nil
		}
	}
	return "", errNoActor
}
