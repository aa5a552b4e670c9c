// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"shoal/peer/foreign"
)

const (
	relApplication = "https://www.w3.org/ns/activitystreams#Application"
	relNodeinfo    = "http://nodeinfo.diaspora.software/ns/schema/2."
)

var errElsewhere = errors.New("it names another host")

// Node is what a server says of itself (NodeInfo 2.0 and 2.1).
type Node struct {
	Software string // "peertube", or another name in lower case
	Version  string
	// Actor is the URL of the actor that stands for the host (FEP-2677), or "".
	Actor string
}

// InstanceActor returns the URL of the actor that stands for a whole host: the one that its
// nodeinfo names (FEP-2677), else peertube@host.
func (c *Client) InstanceActor(ctx context.Context, host string) (actorURL string, err error) {
	host, err = checkHost(host)
	if err != nil {
		return "", err
	}
	links, err := c.jrd(ctx, host, "/.well-known/nodeinfo")
	var e *Error
	if err != nil && (!errors.As(err, &e) || e.Code != CodeNotFound && e.Code != CodeWrongType && e.Code != CodeStatus) {
		return "", err
	}
	if actor := c.actorOf(host, links); actor != "" {
		return actor, nil
	}
	actor, err := c.Webfinger(ctx, "peertube@"+host)
	if errors.As(err, &e) && (e.Code == CodeNotFound || e.Code == CodeWrongType) {
		e.Text = host + " has no actor for the whole instance: follow a channel or an account of it instead."
	}
	return actor, err
}

// actorOf is the host's own actor among nodeinfo's links, or "".
func (c *Client) actorOf(host string, links jrd) string {
	for _, l := range links.Links {
		if l.Rel != relApplication {
			continue
		}
		if u, err := CheckURL(l.Href, c.opts.Dev); err == nil && sameHost(u, host) {
			return u.String()
		}
	}
	return ""
}

// Nodeinfo asks a host what it is.
func (c *Client) Nodeinfo(ctx context.Context, host string) (Node, error) {
	host, err := checkHost(host)
	if err != nil {
		return Node{}, err
	}
	links, err := c.jrd(ctx, host, "/.well-known/nodeinfo")
	if err != nil {
		return Node{}, err
	}
	target, best := "", ""
	for _, l := range links.Links {
		if version, ok := strings.CutPrefix(l.Rel, relNodeinfo); ok && version > best {
			target, best = l.Href, version
		}
	}
	u, err := CheckURL(target, c.opts.Dev)
	if err == nil && !sameHost(u, host) {
		err = errElsewhere
	}
	if err != nil {
		return Node{}, &Error{Code: CodeWrongType, URL: host, Text: host + " does not say what software it runs.", Err: err}
	}
	var n Node
	_, _, _, err = c.get(ctx, u.String(), question{accept: "application/json", max: maxWellKnown, ok: func(_ http.Header, body []byte) (err error) {
		n, err = parseNodeinfo(body)
		return err
	}})
	if err != nil {
		return Node{}, err
	}
	n.Actor = c.actorOf(host, links)
	return n, nil
}

func parseNodeinfo(body []byte) (Node, error) {
	var doc struct {
		Software struct {
			Name    string `json:"name"`
			Version string `json:"version"`
		} `json:"software"`
	}
	if err := json.Unmarshal(body, &doc); err != nil || doc.Software.Name == "" {
		return Node{}, errors.New("it is no nodeinfo")
	}
	return Node{Software: strings.ToLower(foreign.Clip(doc.Software.Name)), Version: foreign.Clip(doc.Software.Version)}, nil
}

// sameHost reports whether a URL is on a host: the same name, and the same port where one is given.
func sameHost(u *url.URL, host string) bool {
	return strings.EqualFold(strings.TrimSuffix(u.Host, ":443"), strings.TrimSuffix(host, ":443"))
}

// checkHost demands a bare host, with a port or not.
func checkHost(host string) (string, error) {
	u, err := url.Parse("https://" + host)
	if err != nil || u.Host != host || u.Hostname() == "" {
		return "", &Error{Code: CodeNotFound, URL: host, Text: foreign.Clip(host) + " is not a host name: check the spelling.", Err: err}
	}
	return strings.ToLower(host), nil
}
