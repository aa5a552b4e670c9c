// SPDX-License-Identifier: AGPL-3.0-or-later

package player

import "shoal/player/mpv"

// properties are libmpv's, as last heard.
type properties struct {
	position, duration float64 // seconds
	seeking, starved   bool
	percent            int64
	ended              bool
	width, height      int64
	rotate             int64
	moves              int64 // how often the position changed: once a picture
}

// reset forgets what belongs to a file and always changes with the next one.
func (p *properties) reset() {
	p.position, p.ended, p.moves = 0, false, 0
}

func observe(h *mpv.Handle) error {
	for _, prop := range []struct {
		name   string
		format mpv.Format
	}{
		{"time-pos", mpv.FormatDouble},
		{"duration", mpv.FormatDouble},
		{"seeking", mpv.FormatFlag},
		{"paused-for-cache", mpv.FormatFlag},
		{"cache-buffering-state", mpv.FormatInt64},
		{"eof-reached", mpv.FormatFlag},
		{"video-out-params/dw", mpv.FormatInt64},
		{"video-out-params/dh", mpv.FormatInt64},
		{"video-out-params/rotate", mpv.FormatInt64},
	} {
		if err := h.Observe(prop.name, prop.format); err != nil {
			return err
		}
	}
	return nil
}

// set takes a property's new value; a nil value leaves the type's zero.
func (p *properties) set(name string, value any) {
	f, _ := value.(float64)
	n, _ := value.(int64)
	b, _ := value.(bool)
	switch name {
	case "time-pos":
		if value != nil { // none while a seek runs
			p.position = f
			p.moves++
		}
	case "duration":
		p.duration = f
	case "seeking":
		p.seeking = b
	case "paused-for-cache":
		p.starved = b
	case "cache-buffering-state":
		p.percent = n
	case "eof-reached":
		p.ended = b
	case "video-out-params/dw":
		p.width = n
	case "video-out-params/dh":
		p.height = n
	case "video-out-params/rotate":
		p.rotate = n
	}
}
