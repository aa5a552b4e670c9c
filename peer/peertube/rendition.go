// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

import (
	"cmp"
	"slices"
)

// Rendition is one way to play a video: a file with picture and sound, or a file
// of pictures and a file of sound, or sound alone.
type Rendition struct {
	// Height is the resolution that people choose by ("720p" is 720), 0 for
	// sound alone. It is the short side, so an upright 720p has it too.
	Height int
	// FPS is frames per second, 0 where it is unknown.
	FPS int
	// Size is in bytes, of both files together.
	Size int64
	// HLS is whether the files are of a streaming playlist.
	HLS bool
	// AudioOnly is whether Video has sound and no picture.
	AudioOnly bool
	Video     VideoFile
	// Audio has the sound where Video has none; nil otherwise.
	Audio *VideoFile
}

// Renditions returns the ways to play the video, best first: by height, then
// frames per second, then size; sound alone is last. They are of the web videos
// where there are any with a picture, else of the first streaming playlist that has
// some. A file counts when a swarm can be joined for it: it names a magnet URI or
// a torrent.
func (d VideoDetails) Renditions() []Rendition {
	web := renditions(d.Files, false)
	if hasPicture(web) {
		return web
	}
	sound := web
	for _, playlist := range d.StreamingPlaylists {
		hls := renditions(playlist.Files, true)
		if hasPicture(hls) {
			return hls
		}
		if len(sound) == 0 {
			sound = hls
		}
	}
	return sound
}

// Pick returns the rendition whose height is closest to height without being
// above it; where all are above, the lowest. A height of 0 or less picks the
// best. Sound alone is picked only where there is nothing else. It is false when
// there is no rendition.
func Pick(renditions []Rendition, height int) (Rendition, bool) {
	var best, lowest, sound *Rendition
	for i := range renditions {
		r := &renditions[i]
		switch {
		case r.AudioOnly:
			if sound == nil || better(*r, *sound) {
				sound = r
			}
			continue
		case lowest == nil || r.Height < lowest.Height || r.Height == lowest.Height && better(*r, *lowest):
			lowest = r
		}
		if (height <= 0 || r.Height <= height) && (best == nil || better(*r, *best)) {
			best = r
		}
	}
	for _, r := range []*Rendition{best, lowest, sound} {
		if r != nil {
			return *r, true
		}
	}
	return Rendition{}, false
}

// Playable returns nil when the video has a rendition, and otherwise an *Error with
// CodeNotPlayable that says why not.
func (d VideoDetails) Playable() error {
	if len(d.Renditions()) > 0 {
		return nil
	}
	e := &Error{Code: CodeNotPlayable, URL: d.URL}
	state := d.State.Number()
	switch {
	case d.IsLive:
		e.Text = "This is a live stream, which Shoal does not play yet: open it in a browser."
	case state != 0 && state != StatePublished:
		e.Text = "Its instance is still preparing this video: try again later."
	case len(d.Files) == 0 && len(d.StreamingPlaylists) == 0:
		e.Text = "Its instance has no file of this video: try again later, or open it on the instance it comes from."
	default:
		e.Text = "Its instance offers no torrent for this video: open it in a browser."
	}
	return e
}

// renditions pairs the files of one set.
func renditions(files []VideoFile, hls bool) []Rendition {
	var out []Rendition
	var audio *VideoFile
	for i := range files {
		f := &files[i]
		if f.joinable() && f.audioOnly() && (audio == nil || f.Size > audio.Size) {
			audio = f
		}
	}
	for i := range files {
		f := files[i]
		if !f.joinable() || f.audioOnly() {
			continue
		}
		r := Rendition{Height: f.nominalHeight(), FPS: max(int(f.FPS), 0), Size: max(int64(f.Size), 0), HLS: hls, Video: f}
		if f.HasAudio != nil && !*f.HasAudio && audio != nil {
			sound := *audio
			r.Audio, r.Size = &sound, r.Size+max(int64(sound.Size), 0)
		}
		out = append(out, r)
	}
	if audio != nil {
		out = append(out, Rendition{Size: max(int64(audio.Size), 0), HLS: hls, AudioOnly: true, Video: *audio})
	}
	slices.SortStableFunc(out, func(a, b Rendition) int {
		switch {
		case better(a, b):
			return -1
		case better(b, a):
			return 1
		}
		return 0
	})
	return out
}

// better reports whether a comes before b.
func better(a, b Rendition) bool {
	if a.AudioOnly != b.AudioOnly {
		return b.AudioOnly
	}
	return cmp.Or(cmp.Compare(a.Height, b.Height), cmp.Compare(a.FPS, b.FPS), cmp.Compare(a.Size, b.Size)) > 0
}

func hasPicture(rs []Rendition) bool {
	return slices.ContainsFunc(rs, func(r Rendition) bool { return !r.AudioOnly })
}

// joinable reports whether the file names a swarm.
func (f VideoFile) joinable() bool { return f.MagnetURI != "" || f.TorrentURL != "" }

// audioOnly reports whether the file has no picture. PeerTubes before 6.3 do not
// say; with them resolution 0 is sound alone.
func (f VideoFile) audioOnly() bool {
	if f.HasVideo != nil {
		return !*f.HasVideo
	}
	return f.nominalHeight() == 0
}

// nominalHeight is the resolution's number, or what comes closest to it.
func (f VideoFile) nominalHeight() int {
	switch {
	case f.Resolution.ID != nil && (*f.Resolution.ID > 0 || f.HasVideo == nil):
		return max(int(*f.Resolution.ID), 0)
	case f.Width > 0 && f.Height > 0:
		return int(min(f.Width, f.Height))
	}
	return max(int(f.Height), 0)
}
