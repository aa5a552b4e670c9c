// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"shoal/peer/foreign"
)

// maxURL bounds the length of an address, in bytes.
const maxURL = 2048

// Location is what an address points to: an instance, or a video, channel or
// account on it.
type Location struct {
	// Instance is scheme and host, with the port where it is not the scheme's
	// own, without a slash at the end: "https://video.example".
	Instance string
	// VideoID is a UUID in lower case or a number; empty without a video.
	VideoID string
	// Channel and Account are "name" or "name@host"; at most one of VideoID,
	// Channel and Account is set.
	Channel, Account string
	// Start is where to begin the video (?start=1m30s), in whole seconds.
	Start time.Duration
}

// ParseURL reads what a person typed or pasted:
//
//	video.example                   an instance; so are its start page and lists
//	/w/{id}, /videos/watch/{id}     a video by UUID, short UUID or number
//	/videos/embed/{id}, /api/v1/videos/{id}
//	/c/{name}, /video-channels/{name}, and pages below
//	/a/{name}, /accounts/{name}, and pages below
//
// The scheme is https where none is typed. Its error is an *Error with CodeBadURL.
func ParseURL(s string) (Location, error) {
	u, schemeTyped, err := parseAddress(s)
	if err != nil {
		return Location{}, err
	}
	instance, err := instanceOf(u, schemeTyped)
	if err != nil {
		return Location{}, err
	}
	loc := Location{Instance: instance}
	if err := loc.readPath(u.EscapedPath()); err != nil {
		return Location{}, err
	}
	if loc.VideoID != "" {
		loc.Start = parseStart(u.Query().Get("start"))
	}
	return loc, nil
}

// String returns an address that ParseURL reads as the same Location: the watch
// page, the channel's or account's page, or the instance.
func (l Location) String() string {
	switch {
	case l.VideoID != "" && l.Start > 0:
		return l.Instance + "/videos/watch/" + l.VideoID + "?start=" + formatStart(l.Start)
	case l.VideoID != "":
		return l.Instance + "/videos/watch/" + l.VideoID
	case l.Channel != "":
		return l.Instance + "/c/" + l.Channel
	case l.Account != "":
		return l.Instance + "/a/" + l.Account
	}
	return l.Instance
}

// parseAddress reads s as an http or https URL, adding the scheme where there is
// none, and reports whether there was one.
func parseAddress(s string) (u *url.URL, schemeTyped bool, err error) {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return nil, false, badURL("Type the address of an instance or of a video.")
	case len(s) > maxURL:
		return nil, false, badURL("This address is too long: check that only an address was pasted.")
	}
	rest, noScheme := strings.CutPrefix(s, "//")
	schemeTyped = strings.Contains(authority(s), "://")
	if noScheme {
		s, schemeTyped = "https://"+rest, false
	} else if !schemeTyped {
		if scheme, ok := otherScheme(s); ok {
			return nil, false, badURL(foreign.Clip(scheme) + ": addresses are not read here: type the http or https address of an instance or a video.")
		}
		s = "https://" + s
	}
	u, err = url.Parse(s)
	switch {
	case err != nil:
		return nil, false, badURL("This is not an address: it looks like video.example or https://video.example/w/….")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, false, badURL(foreign.Clip(u.Scheme) + ": addresses are not read here: type the http or https address of an instance or a video.")
	case u.User != nil:
		return nil, false, badURL("This address carries a user name or a password: take away what stands before the @.")
	}
	return u, schemeTyped, nil
}

// authority is the part of s before its query and fragment.
func authority(s string) string {
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		return s[:i]
	}
	return s
}

// otherScheme returns the scheme of an address like "magnet:?xt=…", which "host:port"
// is not.
func otherScheme(s string) (string, bool) {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || strings.ContainsAny(scheme, "/?#[@.") {
		return "", false
	}
	port := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		port = rest[:i]
	}
	if port != "" && strings.Trim(port, "0123456789") == "" {
		return "", false
	}
	return scheme, true
}

// readPath fills in what the path, still escaped, names.
func (l *Location) readPath(path string) error {
	seg := strings.Split(strings.Trim(path, "/"), "/")
	if slices.Contains(seg[1:], "") {
		return badURL("This address has an empty part: check that it was copied whole.")
	}
	for i := range seg {
		part, err := url.PathUnescape(seg[i])
		if err != nil {
			return badURL("This is not an address: check that it was copied whole.")
		}
		seg[i] = part
	}
	at := func(i int) string {
		if i < len(seg) {
			return seg[i]
		}
		return ""
	}
	switch {
	case len(seg) == 1 && (seg[0] == "" || seg[0] == "home" || seg[0] == "videos"), seg[0] == "about", isInstancePage(seg):
		return nil
	case at(0) == "w" && at(1) == "p", at(0) == "videos" && at(1) == "watch" && at(2) == "playlist",
		at(0) == "video-playlists", at(0) == "api" && at(2) == "video-playlists":
		return badURL("This is a playlist, which Shoal does not play yet: give the address of one of its videos.")
	case at(0) == "w" && len(seg) == 2:
		return l.setVideo(seg[1])
	case at(0) == "videos" && (at(1) == "watch" || at(1) == "embed") && len(seg) == 3:
		return l.setVideo(seg[2])
	case at(0) == "api" && at(1) == "v1" && at(2) == "videos" && len(seg) == 4:
		return l.setVideo(seg[3])
	case (at(0) == "c" || at(0) == "video-channels") && len(seg) >= 2:
		return setHandle(&l.Channel, seg[1], "channel")
	case (at(0) == "a" || at(0) == "accounts") && len(seg) >= 2:
		return setHandle(&l.Account, seg[1], "account")
	case at(0) == "api" && at(1) == "v1" && at(2) == "video-channels" && len(seg) >= 4:
		return setHandle(&l.Channel, seg[3], "channel")
	case at(0) == "api" && at(1) == "v1" && at(2) == "accounts" && len(seg) >= 4:
		return setHandle(&l.Account, seg[3], "account")
	}
	return badURL("This is no address of an instance, a video, a channel or an account that Shoal knows: check that it was copied whole.")
}

// isInstancePage reports whether the path is one of the pages that list videos,
// which stand for the instance.
func isInstancePage(seg []string) bool {
	if len(seg) == 2 && seg[0] == "videos" {
		return slices.Contains([]string{"browse", "local", "trending", "recently-added", "most-liked", "overview"}, seg[1])
	}
	return slices.Equal(seg, []string{"api", "v1"}) || slices.Equal(seg, []string{"api", "v1", "config"}) || slices.Equal(seg, []string{"api", "v1", "videos"})
}

// setVideo takes an id, without the matrix parameters of PeerTube's pages
// ("{id};threadId=8").
func (l *Location) setVideo(id string) error {
	id, _, _ = strings.Cut(id, ";")
	id, ok := videoID(id)
	if !ok {
		return badURL("This is not a video's address: check that it was copied whole.")
	}
	l.VideoID = id
	return nil
}

// videoID returns an id as a UUID in lower case, or as the number that it is.
func videoID(id string) (string, bool) {
	if long, err := LongUUID(id); err == nil {
		return long, true
	}
	ok := id != "" && len(id) <= 15 && strings.Trim(id, "0123456789") == ""
	return id, ok
}

func setHandle(field *string, name, what string) error {
	name, _, _ = strings.Cut(name, ";")
	if !isHandle(name) {
		return badURL("This is not the address of a " + what + ": check that it was copied whole.")
	}
	*field = name
	return nil
}

// isHandle reports whether s is "name" or "name@host", in PeerTube's letters.
func isHandle(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:"
	name, host, remote := strings.Cut(s, "@")
	if len(s) > 500 || strings.Trim(name, ".") == "" || strings.Trim(name, letters) != "" {
		return false
	}
	return !remote || host != "" && strings.Trim(host, letters+"[]") == ""
}

// badURL returns an Error with CodeBadURL.
func badURL(text string) error { return &Error{Code: CodeBadURL, Text: text} }
