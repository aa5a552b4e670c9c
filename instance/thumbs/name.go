// SPDX-License-Identifier: AGPL-3.0-or-later

package thumbs

import (
	"crypto/sha256"
	"encoding/hex"

	"shoal/instance/store"
)

// Kind is which picture of a video.
type Kind string

// The kinds of picture.
const (
	Thumbnail Kind = "thumbnail"
	Preview   Kind = "preview"
)

// url is a picture's address at the origin, empty where the video has none.
func (k Kind) url(v *store.RemoteVideo) string {
	if k == Preview && v.Preview != "" {
		return v.Preview
	}
	if k == Thumbnail && v.Thumbnail == "" {
		return v.Preview
	}
	return v.Thumbnail
}

const (
	uuidLen = 36
	markLen = 16
)

// Name is a picture's name in paths here: the video's UUID and a mark that changes with the
// picture's address. It is empty where the video has no picture.
func Name(v *store.RemoteVideo, k Kind) string {
	url := k.url(v)
	if url == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(v.ID + "\n" + string(k) + "\n" + url))
	return v.UUID + "-" + hex.EncodeToString(sum[:markLen/2]) + ".jpg"
}

// uuidOf is the UUID in a picture's name; it reports whether the name has the form of one.
func uuidOf(name string) (string, bool) {
	const ext = ".jpg"
	if len(name) != uuidLen+1+markLen+len(ext) || name[uuidLen] != '-' || name[uuidLen+1+markLen:] != ext {
		return "", false
	}
	for i := range uuidLen + 1 + markLen {
		switch c := name[i]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f', c == '-':
		default:
			return "", false
		}
	}
	return name[:uuidLen], true
}
