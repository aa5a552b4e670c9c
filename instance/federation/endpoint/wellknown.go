// SPDX-License-Identifier: AGPL-3.0-or-later

package endpoint

import (
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"

	"shoal/instance/federation/author"
	"shoal/instance/store"
)

// link is a link of a JRD or of nodeinfo's.
type link struct {
	Rel  string `json:"rel"`
	Type string `json:"type,omitempty"`
	Href string `json:"href"`
}

// webfinger finds an actor by acct:name@host or by its URL (RFC 7033).
func (e *Endpoint) webfinger(w http.ResponseWriter, r *http.Request) {
	name, ok := e.named(r.URL.Query().Get("resource"))
	if !ok {
		e.fail(w, http.StatusBadRequest, "The resource is no acct:name@"+e.cfg.Base.Host())
		return
	}
	id, ok := e.actorID(name)
	if !ok {
		e.missing(w, "Actor")
		return
	}
	e.write(w, typeJRD, http.StatusOK, struct {
		Subject string   `json:"subject"`
		Aliases []string `json:"aliases"`
		Links   []link   `json:"links"`
	}{"acct:" + name + "@" + e.cfg.Base.Host(), []string{id}, []link{
		{Rel: "self", Type: "application/activity+json", Href: id},
		{Rel: "http://webfinger.net/rel/profile-page", Type: "text/html", Href: id},
	}})
}

// named is the local name that a resource means.
func (e *Endpoint) named(resource string) (string, bool) {
	if name, ok := author.Name(e.cfg.Base, resource); ok {
		return name, true
	}
	handle, ok := strings.CutPrefix(resource, "acct:")
	if !ok {
		return "", false
	}
	name, host, ok := strings.Cut(strings.TrimPrefix(handle, "@"), "@")
	return name, ok && name != "" && strings.EqualFold(host, e.cfg.Base.Host())
}

// actorID is the id of the local actor of a name.
func (e *Endpoint) actorID(name string) (string, bool) {
	snap := e.cfg.Store.Snapshot()
	if _, ok := snap.Account(name); ok || name == store.NameInstance {
		return e.cfg.Base.Account(name), true
	}
	_, ok := snap.Channel(name)
	return e.cfg.Base.Channel(name), ok
}

// hostMeta says where webfinger is (RFC 6415).
func (e *Endpoint) hostMeta(w http.ResponseWriter, _ *http.Request) {
	type xrdLink struct {
		Rel      string `xml:"rel,attr"`
		Type     string `xml:"type,attr"`
		Template string `xml:"template,attr"`
	}
	b, err := xml.Marshal(struct {
		XMLName xml.Name `xml:"http://docs.oasis-open.org/ns/xri/xrd-1.0 XRD"`
		Link    xrdLink  `xml:"Link"`
	}{Link: xrdLink{"lrdd", "application/jrd+json", string(e.cfg.Base) + "/.well-known/webfinger?resource={uri}"}})
	if err != nil {
		e.broken(w, err)
		return
	}
	b = append([]byte(xml.Header), b...)
	w.Header().Set("Content-Type", "application/xrd+xml; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b) // who went away needs nothing
}

// schema is where nodeinfo is defined; a version follows.
const schema = "http://nodeinfo.diaspora.software/ns/schema/"

// nodeinfoLinks says where nodeinfo and the instance's actor are.
func (e *Endpoint) nodeinfoLinks(w http.ResponseWriter, _ *http.Request) {
	e.write(w, typeJSON, http.StatusOK, struct {
		Links []link `json:"links"`
	}{[]link{
		{Rel: schema + "2.0", Href: string(e.cfg.Base) + "/nodeinfo/2.0.json"},
		{Rel: schema + "2.1", Href: string(e.cfg.Base) + "/nodeinfo/2.1.json"},
		{Rel: "https://www.w3.org/ns/activitystreams#Application", Href: e.cfg.Base.Actor()},
	}})
}

// nodeinfo says what this instance runs and how much there is (nodeinfo 2.0 and 2.1).
func (e *Endpoint) nodeinfo(version string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		snap := e.cfg.Store.Snapshot()
		posts := 0
		for _, v := range snap.Videos() {
			if v.Listed() {
				posts++
			}
		}
		name := e.cfg.Name
		if name == "" {
			name = e.cfg.Base.Host()
		}
		number := e.cfg.Version
		if number == "" {
			number = "unknown"
		}
		e.write(w, `application/json; profile="`+schema+version+`#"; charset=utf-8`, http.StatusOK, map[string]any{
			"version": version, "software": map[string]any{"name": "shoal", "version": number},
			"protocols": []string{"activitypub"}, "services": map[string]any{"inbound": []string{}, "outbound": []string{}},
			"openRegistrations": false,
			"usage":             map[string]any{"users": map[string]any{"total": len(snap.AccountNames())}, "localPosts": posts},
			"metadata": map[string]any{
				"taxonomy": map[string]any{"postsName": "Videos"}, "nodeName": name,
				"nodeDescription": "A Shoal instance: videos shared by those who watch them.",
			},
		})
	}
}
