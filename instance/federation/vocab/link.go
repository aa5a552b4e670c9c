// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import "encoding/json"

// Link is an ActivityStreams Link, and what stands in a "tag": Hashtag, Mention, Infohash, SensitiveTag.
type Link struct {
	// Type is "Link", "Hashtag", "Mention", "Infohash"…; a link that was only a string has none.
	Type, Name, MediaType, Href string
	// Rel are the link's relations, such as "metadata", "tracker", "storyboard".
	Rel []string
	// Height and Width are in pixels, nil where absent. Height 0 is sound alone.
	Height, Width *int64
	// Size is in bytes, nil where absent.
	Size *int64
	// FPS is frames a second, -1: unknown. Nil where it is absent or no whole number.
	FPS *int64
	// Tag is what hangs below the link: the files and info-hashes of an HLS playlist.
	Tag []Link
	// Attachment are properties of the file: "ffprobe_codec_type", "peertube_format_flag".
	Attachment []Property
	Extra      map[string]json.RawMessage
}

// Property is a PropertyValue: a name and its value.
type Property struct {
	Type, Name, Value string
	Extra             map[string]json.RawMessage
}

// MarshalJSON writes the link as an object.
func (l Link) MarshalJSON() ([]byte, error) {
	w := newWriter(l.Extra)
	w.text("type", l.Type)
	w.text("name", l.Name)
	w.texts("rel", l.Rel)
	w.text("mediaType", l.MediaType)
	w.text("href", l.Href)
	w.number("height", l.Height)
	w.number("width", l.Width)
	w.number("size", l.Size)
	w.number("fps", l.FPS)
	list(w, "tag", l.Tag)
	list(w, "attachment", l.Attachment)
	return w.end()
}

// MarshalJSON writes the property.
func (p Property) MarshalJSON() ([]byte, error) {
	w := newWriter(p.Extra)
	w.text("type", p.Type)
	w.text("name", p.Name)
	w.text("value", p.Value)
	return w.end()
}

func linkOf(raw json.RawMessage) (Link, bool, error) {
	if s, ok := textOf(raw); ok {
		return Link{Href: s}, s != "", nil
	}
	r, err := open(raw)
	if err != nil {
		return Link{}, false, nil //nolint:nilerr // an entry that is no link is left out
	}
	l := Link{
		Type: r.kind(), Name: r.text("name"), MediaType: r.text("mediaType"), Href: r.text("href"), Rel: r.texts("rel"),
		Height: r.number("height"), Width: r.number("width"), Size: r.number("size"), FPS: r.number("fps"),
	}
	l.Tag = r.links("tag")
	l.Attachment = r.properties("attachment")
	l.Extra = r.extra()
	return l, true, r.err
}

// links takes a string, an object or a list of both as links. Nil: absent.
func (r *reader) links(key string) []Link {
	entries, ok := r.list(key)
	if !ok {
		return nil
	}
	out := make([]Link, 0, len(entries))
	for _, e := range entries {
		l, ok, err := linkOf(e)
		if err != nil {
			r.err = err
		}
		if ok {
			out = append(out, l)
		}
	}
	r.take(key)
	return out
}

func (r *reader) properties(key string) []Property {
	entries, ok := r.list(key)
	if !ok {
		return nil
	}
	out := make([]Property, 0, len(entries))
	for _, e := range entries {
		p, err := open(e)
		if err != nil {
			continue
		}
		prop := Property{Type: p.kind(), Name: p.text("name"), Value: p.text("value")}
		prop.Extra = p.extra()
		out = append(out, prop)
	}
	r.take(key)
	return out
}

// href takes an address: a string, a Link, or of a list the HTML link or else the first.
func (r *reader) href(key string) string {
	entries, ok := r.list(key)
	if !ok {
		return ""
	}
	first := ""
	for _, e := range entries {
		l, ok, err := linkOf(e)
		if err != nil || !ok || l.Href == "" {
			continue
		}
		if l.MediaType == "text/html" {
			first = l.Href
			break
		}
		if first == "" {
			first = l.Href
		}
	}
	if first != "" {
		r.take(key)
	}
	return first
}

// Image is an ActivityStreams Image: an icon, a banner, a thumbnail, a storyboard.
type Image struct {
	Type, MediaType string
	// URL is where the picture is; of several links the first.
	URL string
	// Links is set where the address was given as links, as storyboards and 8.x captions do.
	Links         []Link
	Rel           []string
	Width, Height int64
	Extra         map[string]json.RawMessage
}

// MarshalJSON writes the image.
func (i Image) MarshalJSON() ([]byte, error) {
	w := newWriter(i.Extra)
	w.text("type", i.Type)
	w.texts("rel", i.Rel)
	writeAddress(w, i.URL, i.Links)
	w.text("mediaType", i.MediaType)
	w.natural("width", i.Width)
	w.natural("height", i.Height)
	return w.end()
}

func writeAddress(w *writer, address string, links []Link) {
	if links != nil {
		list(w, "url", links)
		return
	}
	w.text("url", address)
}

// address takes "url": a string, or links whose first href is the address.
func (r *reader) address() (string, []Link) {
	raw, ok := r.peek("url")
	if !ok {
		return "", nil
	}
	if s, ok := textOf(raw); ok {
		r.take("url")
		return s, nil
	}
	if raw[0] != '[' && raw[0] != '{' {
		return "", nil
	}
	links := r.links("url")
	for _, l := range links {
		if l.Href != "" {
			return l.Href, links
		}
	}
	return "", links
}

// images takes one image or a list; a string is an image's address. Nil: absent.
func (r *reader) images(key string) []Image {
	entries, ok := r.list(key)
	if !ok {
		return nil
	}
	out := make([]Image, 0, len(entries))
	for _, e := range entries {
		if s, ok := textOf(e); ok {
			if s != "" {
				out = append(out, Image{Type: "Image", URL: s})
			}
			continue
		}
		o, err := open(e)
		if err != nil {
			continue
		}
		img := Image{
			Type: o.kind(), MediaType: o.text("mediaType"), Rel: o.texts("rel"),
			Width: o.natural("width"), Height: o.natural("height"),
		}
		img.URL, img.Links = o.address()
		img.Extra = o.extra()
		if o.err != nil {
			r.err = o.err
		}
		out = append(out, img)
	}
	r.take(key)
	return out
}
