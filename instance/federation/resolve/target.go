// SPDX-License-Identifier: AGPL-3.0-or-later

package resolve

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"shoal/instance/address"
	"shoal/instance/federation/vocab"
	"shoal/peer/peertube"
)

// Target finds the actor that a person means, and returns its id: host, name@host, @name@host, or the
// URL of an instance, an account or a channel, or of its page. The actor is stored.
func (r *Resolver) Target(ctx context.Context, text string) (string, error) {
	id, err := r.target(ctx, strings.TrimSpace(text))
	if err != nil {
		return "", err
	}
	if r.local(id) {
		return "", &problem{text: text + " is of this instance: name somebody on another one", kind: ErrLocal}
	}
	r.failures.forget(id) // somebody asks: what failed a moment ago is tried again
	a, err := r.Actor(ctx, id, Stale)
	if err != nil {
		return "", err
	}
	return a.ID, nil
}

func (r *Resolver) target(ctx context.Context, text string) (string, error) {
	switch {
	case text == "":
		return "", refused("nothing is named: give a host, name@host or a URL")
	case strings.Contains(text, "://"):
		return r.byURL(ctx, text)
	case strings.Contains(text, "@"):
		r.failures.forget("acct:" + strings.TrimPrefix(text, "@"))
		return r.byHandle(ctx, text)
	case strings.ContainsAny(text, "/ ?#"):
		return r.byURL(ctx, "https://"+text)
	}
	return r.instance(ctx, strings.ToLower(text))
}

func (r *Resolver) instance(ctx context.Context, host string) (string, error) {
	if host == r.base.Host() {
		return r.base.Actor(), nil
	}
	if r.store.Blocked(host) {
		return "", &problem{text: host + " is blocked here", kind: ErrBlocked}
	}
	id, err := r.fetch.InstanceActor(ctx, host)
	if err != nil {
		return "", failed(host, err)
	}
	return noFragment(id), nil
}

func (r *Resolver) byURL(ctx context.Context, text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "https" && u.Scheme != "http") {
		return "", refused("%.100q is no address of an instance, an account or a channel", text)
	}
	if strings.Trim(u.Path, "/") == "" {
		return r.instance(ctx, strings.ToLower(u.Host))
	}
	u.Fragment = ""
	if err := r.allowed(u.String()); err != nil {
		return "", err
	}
	_, kind, id, err := r.anywhere(ctx, u.String())
	switch {
	case err == nil && actorType(kind):
		return id, nil
	case err == nil:
		return "", refused("%s is a %s: give the address of an instance, an account or a channel", text, kind)
	}
	// A page for people that has no other form: its path names the actor.
	if name, ok := pageName(u.Path); ok && !errors.Is(err, ErrBlocked) {
		if id, handleErr := r.byHandle(ctx, name+"@"+strings.ToLower(u.Host)); handleErr == nil {
			return id, nil
		}
	}
	return "", err
}

// pageName is the name in the path of an account's or a channel's page, as PeerTube and others have it.
func pageName(path string) (string, bool) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if name, ok := strings.CutPrefix(parts[0], "@"); ok && name != "" {
		return name, true
	}
	if len(parts) < 2 {
		return "", false
	}
	switch parts[0] {
	case "a", "c", "accounts", "video-channels", "users", "u":
		name, _, _ := strings.Cut(parts[1], "@")
		return name, name != ""
	}
	return "", false
}

func actorType(kind string) bool {
	switch kind {
	case typePerson, typeGroup, typeApplication, "Service", "Organization":
		return true
	}
	return false
}

// uuidOf is the UUID in the id of one of base's videos, or in another address of it.
func uuidOf(base address.Base, id string) (string, bool) {
	u, err := url.Parse(id)
	if err != nil || !vocab.SameOrigin(id, string(base)) {
		return "", false
	}
	for _, prefix := range []string{"/videos/watch/", "/w/"} {
		if rest, ok := strings.CutPrefix(u.Path, prefix); ok {
			uuid, err := peertube.LongUUID(rest)
			return uuid, err == nil
		}
	}
	return "", false
}
