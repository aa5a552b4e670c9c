// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"net/url"
	"slices"
	"strings"
)

// Public is the collection everybody is in (ActivityPub §5.6).
const Public = "https://www.w3.org/ns/activitystreams#Public"

// IsPublic says whether everybody is among the addressees, under any of the three spellings (ActivityPub §5.6).
func IsPublic(ids []string) bool {
	return slices.ContainsFunc(ids, func(id string) bool { return id == Public || id == "as:Public" || id == "Public" })
}

// SameOrigin says whether two ids are http(s) URLs with the same scheme, host and port (FEP-fe34).
func SameOrigin(a, b string) bool {
	oa, ob := origin(a), origin(b)
	return oa != "" && oa == ob
}

func origin(id string) string {
	u, err := url.Parse(id)
	if err != nil || u.User != nil || u.Hostname() == "" {
		return ""
	}
	port := u.Port()
	switch u.Scheme {
	case "https":
		if port == "" {
			port = "443"
		}
	case "http":
		if port == "" {
			port = "80"
		}
	default:
		return ""
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + " " + port
}

// Host is the host, with its port where one is written, of an id that is an http(s) URL; else empty.
func Host(id string) string {
	u, err := url.Parse(id)
	if err != nil || u.User != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" {
		return ""
	}
	return strings.ToLower(u.Host)
}

// checkID demands an http(s) URL of at most 2000 bytes.
func checkID(id string) error {
	if len(id) > 2000 || Host(id) == "" {
		return ErrID
	}
	return nil
}
