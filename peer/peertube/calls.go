// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

import (
	"context"
	"errors"
	"net/url"
	"strconv"
)

// maxCount is the longest page that PeerTube gives.
const maxCount = 100

// ListOptions page and sort a list.
type ListOptions struct {
	// Start is the index of the first entry, Count the entries at most
	// (1 to 100; 0 is the instance's default, 15).
	Start, Count int
	// Sort is a PeerTube sort word with "-" for descending: "-publishedAt",
	// "-views", "name"; empty is the instance's default.
	Sort string
	// Local leaves out other instances' videos (isLocal=true).
	Local bool
}

// query returns the options as PeerTube's parameters.
func (o ListOptions) query() url.Values {
	v := url.Values{}
	if o.Start > 0 {
		v.Set("start", strconv.Itoa(o.Start))
	}
	if o.Count > 0 {
		v.Set("count", strconv.Itoa(min(o.Count, maxCount)))
	}
	if o.Sort != "" {
		v.Set("sort", o.Sort)
	}
	if o.Local {
		v.Set("isLocal", "true")
	}
	return v
}

// Config returns what the instance says about itself. It is also the way to find
// out whether an address is a PeerTube-compatible instance.
func (c *Client) Config(ctx context.Context, instance string) (Config, error) {
	var v Config
	err := c.ask(ctx, instance, "PeerTube's API", "/api/v1/config", nil, &v, func() bool { return v.ServerVersion != "" })
	return v, err
}

// Videos returns one page of the instance's videos.
func (c *Client) Videos(ctx context.Context, instance string, o ListOptions) (VideoList, error) {
	return c.list(ctx, instance, "a list of videos", "/api/v1/videos", o.query())
}

// Search returns one page of the videos that match query.
func (c *Client) Search(ctx context.Context, instance, query string, o ListOptions) (VideoList, error) {
	v := o.query()
	v.Set("search", query)
	return c.list(ctx, instance, "a search", "/api/v1/search/videos", v)
}

// Video returns one video. id is a number, UUID or short UUID.
func (c *Client) Video(ctx context.Context, instance, id string) (VideoDetails, error) {
	id, ok := videoID(id)
	if !ok {
		return VideoDetails{}, badURL("This is not a video's address: check that it was copied whole.")
	}
	var v VideoDetails
	err := c.ask(ctx, instance, "this video", "/api/v1/videos/"+id, nil, &v, func() bool {
		_, err := parseUUID(v.UUID)
		return err == nil
	})
	return v, err
}

// Account returns an account: "name" or "name@host".
func (c *Client) Account(ctx context.Context, instance, name string) (Account, error) {
	if !isHandle(name) {
		return Account{}, badURL("This is not an account's name: it looks like name or name@host.")
	}
	var v Account
	err := c.ask(ctx, instance, "this account", "/api/v1/accounts/"+name, nil, &v, func() bool { return v.Name != "" })
	return v, err
}

// AccountVideos returns one page of an account's videos.
func (c *Client) AccountVideos(ctx context.Context, instance, name string, o ListOptions) (VideoList, error) {
	if !isHandle(name) {
		return VideoList{}, badURL("This is not an account's name: it looks like name or name@host.")
	}
	return c.list(ctx, instance, "this account", "/api/v1/accounts/"+name+"/videos", o.query())
}

// Channel returns a channel: "name" or "name@host".
func (c *Client) Channel(ctx context.Context, instance, name string) (Channel, error) {
	if !isHandle(name) {
		return Channel{}, badURL("This is not a channel's name: it looks like name or name@host.")
	}
	var v Channel
	err := c.ask(ctx, instance, "this channel", "/api/v1/video-channels/"+name, nil, &v, func() bool { return v.Name != "" })
	return v, err
}

// ChannelVideos returns one page of a channel's videos.
func (c *Client) ChannelVideos(ctx context.Context, instance, name string, o ListOptions) (VideoList, error) {
	if !isHandle(name) {
		return VideoList{}, badURL("This is not a channel's name: it looks like name or name@host.")
	}
	return c.list(ctx, instance, "this channel", "/api/v1/video-channels/"+name+"/videos", o.query())
}

// Get returns the bytes at ref: a thumbnail, a torrent. ref is a path on the
// instance or an absolute URL that one of its answers named. More than maxBytes
// (0: Options.MaxBytes) is CodeTooLarge.
func (c *Client) Get(ctx context.Context, instance, ref string, maxBytes int) ([]byte, error) {
	if maxBytes <= 0 {
		maxBytes = c.opts.MaxBytes
	}
	return c.do(ctx, call{what: "this file", instance: instance, path: ref, accept: "*/*", maxBytes: maxBytes})
}

// list asks for a page of videos.
func (c *Client) list(ctx context.Context, instance, what, path string, query url.Values) (VideoList, error) {
	var v struct {
		Total Int          `json:"total"`
		Data  *List[Video] `json:"data"`
	}
	if err := c.ask(ctx, instance, what, path, query, &v, func() bool { return v.Data != nil }); err != nil {
		return VideoList{}, err
	}
	return VideoList{Total: v.Total, Data: *v.Data}, nil
}

// errShape is JSON without what makes it the answer asked for.
var errShape = errors.New("answer lacks a required field")

// ask decodes an answer of the API into v and checks with valid that it is one.
func (c *Client) ask(ctx context.Context, instance, what, path string, query url.Values, v any, valid func() bool) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	q := call{what: what, instance: instance, path: path, accept: "application/json", maxBytes: c.opts.MaxBytes, api: true}
	body, err := c.do(ctx, q)
	if err != nil {
		return err
	}
	err = decodeLenient(body, v)
	if err == nil && !valid() {
		err = errShape
	}
	if err != nil {
		return notPeerTube(q, body, err)
	}
	return nil
}

// resolve returns the instance's address and the address to ask.
func (q call) resolve() (named, target *url.URL, err error) {
	loc, err := ParseURL(q.instance)
	if err != nil {
		return nil, nil, err
	}
	named, err = url.Parse(loc.Instance)
	if err != nil {
		return nil, nil, badURL("This is not an instance's address.")
	}
	target, err = named.Parse(q.path)
	if err != nil || target.Host == "" || target.User != nil || target.Scheme != "https" && target.Scheme != "http" {
		return nil, nil, &Error{Code: CodeBlocked, URL: q.path, Err: err, Text: named.Host + " named an address that is not on the web: Shoal does not follow it."}
	}
	if named.Scheme == "https" && target.Scheme == "http" {
		return nil, nil, explain(context.Background(), q, target, errDowngrade)
	}
	target.Fragment = ""
	return named, target, nil
}
