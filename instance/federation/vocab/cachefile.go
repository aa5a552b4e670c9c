// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ErrCacheFile says that a cache file names no object or no address.
var ErrCacheFile = errors.New("the cache file names no video or no address")

// CacheFile says that an instance mirrors one file of a video.
type CacheFile struct {
	Context json.RawMessage
	ID      string
	// Object is the video.
	Object Ref
	// Expires is zero for a mirror without end.
	Expires time.Time
	// URL is the copy: mediaType, href, height, fps, size; of several the first.
	URL    Link
	To, CC []string
	Extra  map[string]json.RawMessage
}

// ParseCacheFile reads a cache file. Errors: those of the bounds, ErrType, ErrID, ErrCacheFile (errors.Is).
func ParseCacheFile(data []byte) (*CacheFile, error) {
	r, err := read(data)
	if err != nil {
		return nil, err
	}
	if r.kind() != "CacheFile" {
		return nil, fmt.Errorf("reading a cache file: %w", ErrType)
	}
	c := &CacheFile{
		Context: r.raw("@context"), ID: r.text("id"), Object: r.ref("object"), Expires: r.instant("expires"),
		To: r.ids("to"), CC: r.ids("cc"),
	}
	if links := r.links("url"); len(links) > 0 {
		c.URL = links[0]
	}
	c.Extra = r.extra()
	switch {
	case r.err != nil:
		return nil, fmt.Errorf("reading a cache file: %w", r.err)
	case checkID(c.ID) != nil:
		return nil, fmt.Errorf("reading a cache file: %w", ErrID)
	case checkID(c.Object.ID) != nil || !web(c.URL.Href):
		return nil, fmt.Errorf("reading a cache file: %w", ErrCacheFile)
	}
	return c, nil
}

func (c CacheFile) withoutContext() json.Marshaler {
	c.Context = nil
	return c
}

// MarshalJSON writes the cache file.
func (c CacheFile) MarshalJSON() ([]byte, error) {
	w := newWriter(c.Extra)
	w.raw("@context", c.Context)
	w.texts("to", c.To)
	w.texts("cc", c.CC)
	w.text("id", c.ID)
	w.text("type", "CacheFile")
	w.ref("object", c.Object)
	w.instantOrNull("expires", c.Expires)
	w.value("url", c.URL)
	return w.end()
}
