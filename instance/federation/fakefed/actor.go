// SPDX-License-Identifier: AGPL-3.0-or-later

package fakefed

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Actor is somebody on a Server.
type Actor struct {
	// ID is its address, Name its username.
	ID, Name string
	server   *Server
}

// Actor adds an actor: a Group below /video-channels, everybody else below /accounts. A Group
// belongs to the Person "alice" unless attributedTo is set in Document.
func (s *Server) Actor(kind, name string) *Actor {
	a := &Actor{ID: s.URL + "/accounts/" + name, Name: name, server: s}
	if kind == "Group" {
		a.ID = s.URL + "/video-channels/" + name
	}
	s.Serve(a.ID[len(s.URL):], a.Document(kind))
	return a
}

// Document is the actor as PeerTube shows one.
func (a *Actor) Document(kind string) map[string]any {
	d := map[string]any{
		"@context": defaultContext(), "type": kind, "id": a.ID, "preferredUsername": a.Name, "name": "The " + a.Name, "url": a.ID,
		"inbox": a.ID + "/inbox", "outbox": a.ID + "/outbox", "followers": a.ID + "/followers", "following": a.ID + "/following",
		"endpoints": map[string]any{"sharedInbox": a.server.URL + "/inbox"},
		"published": "2026-01-02T03:04:05.000Z",
		"publicKey": map[string]any{"id": a.ID + "#main-key", "owner": a.ID, "publicKeyPem": a.server.keyPEM},
	}
	if kind == "Group" {
		d["attributedTo"] = []any{map[string]any{"type": "Person", "id": a.server.URL + "/accounts/alice"}}
	}
	return d
}

func defaultContext() []any {
	return []any{
		"https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1",
		map[string]any{"RsaSignature2017": "https://w3id.org/security#RsaSignature2017"},
	}
}

// Activity is an activity of the actor; object may be an id or a whole object.
func (a *Actor) Activity(kind, id string, object any) map[string]any {
	return map[string]any{
		"@context": defaultContext(), "type": kind, "id": a.server.URL + id, "actor": a.ID, "object": object,
		"to": []any{"https://www.w3.org/ns/activitystreams#Public"}, "cc": []any{},
	}
}

// Post signs an activity (HTTP and LD) and posts it to an inbox. An answer other than 2xx is an error.
func (a *Actor) Post(ctx context.Context, inbox string, activity any) error {
	body, err := json.Marshal(activity)
	if err != nil {
		return fmt.Errorf("encoding an activity: %w", err)
	}
	if body, err = a.server.ld(ctx, body, a.ID); err != nil {
		return err
	}
	status, err := a.PostRaw(ctx, inbox, body, nil)
	if err != nil {
		return err
	}
	if status >= 300 {
		return fmt.Errorf("%s answered %d", inbox, status)
	}
	return nil
}

// PostRaw posts a body with the actor's HTTP signature and returns the status. change, when not nil,
// may spoil the signed request.
func (a *Actor) PostRaw(ctx context.Context, inbox string, body []byte, change func(*http.Request)) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, inbox, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("making a request: %w", err)
	}
	r.Header.Set("Content-Type", "application/activity+json")
	if err := a.server.sign(r, a.ID, body); err != nil {
		return 0, err
	}
	if change != nil {
		change(r)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, fmt.Errorf("posting an activity: %w", err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(res.Body, maxBody)); err != nil {
		return res.StatusCode, fmt.Errorf("reading the answer: %w", err)
	}
	return res.StatusCode, nil
}

// Accept answers a Follow that the server got, to the follower's own inbox.
func (a *Actor) Accept(ctx context.Context, follow Received, inbox string) error {
	return a.Post(ctx, inbox, a.Activity("Accept", "/accepts/"+fmt.Sprint(time.Now().UnixNano()), follow.Activity["id"]))
}
