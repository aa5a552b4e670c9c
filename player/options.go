// SPDX-License-Identifier: AGPL-3.0-or-later

package player

// mpvOptions are libmpv's options for a player.
func mpvOptions(o Options) map[string]string {
	m := map[string]string{
		// Nothing of the person's own mpv takes part, and libmpv asks for no key and no terminal.
		"config":                 "no",
		"osc":                    "no",
		"ytdl":                   "no",
		"terminal":               "no",
		"load-scripts":           "no",
		"input-default-bindings": "no",
		"input-vo-keyboard":      "no",
		"input-media-keys":       "no",
		"osd-level":              "0",

		// Files come from strangers: libmpv opens nothing that a file names, no playlist, no
		// neighbouring file, no address.
		"access-references": "no",
		"ordered-chapters":  "no",
		"sub-auto":          "no",
		"audio-file-auto":   "no",
		"audio-display":     "no",

		// At the end the file stays open, so that the person can go back into it.
		"idle":            "yes",
		"keep-open":       "yes",
		"keep-open-pause": "no",

		// libmpv reads little ahead and keeps nothing behind: how far to fetch is the business of whoever
		// gives the Media.
		"cache":                  "yes",
		"cache-pause":            "yes",
		"cache-pause-wait":       "0.5",
		"demuxer-max-bytes":      "8MiB",
		"demuxer-max-back-bytes": "0",
		"demuxer-donate-buffer":  "no",
		"demuxer-seekable-cache": "no",
		"demuxer-readahead-secs": "5",
		"cache-secs":             "5",

		// Pictures are turned into RGBA thirty times a second: libswscale's fast way takes a third of what
		// zimg does.
		"sws-allow-zimg": "no",
		"sws-fast":       "yes",
		"sws-scaler":     "bilinear",

		"hwdec":                  "auto-safe",
		"vo":                     "libmpv",
		"keepaspect":             "no", // the surface gives the room of the right shape
		"audio-fallback-to-null": "yes",
		"audio-client-name":      "Shoal",
		"volume-max":             "100",
	}
	if o.NullVideo {
		m["vo"] = "null"
	}
	if o.NullAudio {
		m["ao"] = "null"
	}
	return m
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
