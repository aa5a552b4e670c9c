// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Records of remote videos are kept as JSON, deflated (RFC 1951) with the names and forms that all
// of them have as a dictionary, behind one byte that names it.
const squeezed = 1

// maxRecord bounds a record of a remote video, in bytes of JSON.
const maxRecord = 4 << 20

// dictionary1 goes with squeezed. It is never changed: another one gets another number.
const dictionary1 = `"originallyPublished":"20"commentsPolicy":1,"aspectRatio":1.7778,"waitTranscoding":true,"downloadEnabled":true,` +
	`"category":{"id":"2","label":"Films"},"licence":{"id":"1","label":"Attribution"},"language":{"id":"fr","label":"French"},` +
	`"language":{"id":"en","label":"English"},"support":"","tags":["trackers":["wss:///tracker/socket","https:///tracker/announce"],` +
	`"likesUrl":"/likes","dislikesUrl":"/dislikes","sharesUrl":"/announces","commentsUrl":"/comments","chaptersUrl":"/chapters",` +
	`"page":"/w/","embedUrl":"/videos/embed/","thumbnail":"/lazy-static/thumbnails/.jpg","preview":"/lazy-static/previews/.jpg",` +
	`"account":"/accounts/","channel":"/video-channels/","title":","description":","privacy":1,"duration":,"views":0,"likes":0,` +
	`"dislikes":0,"created":"2026-","published":"2026-","updated":"2026-","fetched":"2026-","playlists":[{"number":,` +
	`"masterUrl":"/static/streaming-playlists/hls/-master.m3u8","segmentsUrl":"-segments-sha256.json","infohashes":["sources":["/accounts/peertube","` +
	`{"number":,"resolution":1080,"width":1920,"height":1080,"fps":30,"resolution":720,"width":1280,"height":720,"fps":25,` +
	`"resolution":480,"width":854,"height":480,"fps":24,"resolution":360,"width":640,"height":360,"resolution":240,"width":426,"height":240,` +
	`"size":,"mediaType":"video/mp4","url":"/static/web-videos/-480.mp4","torrentUrl":"/lazy-static/torrents/-480-hls.torrent",` +
	`"magnet":"magnet:?xs=https%3A%2F%2F%2Flazy-static%2Ftorrents%2F-480.torrent\u0026xt=urn:btih:\u0026dn=\u0026tr=https%3A%2F%2F%2Ftracker%2Fannounce` +
	`\u0026tr=wss%3A%2F%2F%2Ftracker%2Fsocket\u0026ws=https%3A%2F%2F%2Fstatic%2Fstreaming-playlists%2Fhls%2F-fragmented.mp4",` +
	`"infohash":"","metadataUrl":"/api/v1/videos/metadata/","audio":true,"video":true},{"number":1,"id":"https:///videos/watch/","uuid":"-4-","host":"`

// squeezer keeps compressors for reuse: one takes hundreds of kilobytes.
type squeezer struct{ writers, readers sync.Pool }

func (z *squeezer) pack(plain []byte) ([]byte, error) {
	out := bytes.NewBuffer(append(make([]byte, 0, len(plain)/2), squeezed))
	w, ok := z.writers.Get().(*flate.Writer)
	if ok {
		w.Reset(out) // keeps the dictionary
	} else {
		const level = 4 // most of the gain at a third of the best level's time
		var err error
		if w, err = flate.NewWriterDict(out, level, []byte(dictionary1)); err != nil {
			return nil, fmt.Errorf("compressing a record: %w", err)
		}
	}
	if _, err := w.Write(plain); err != nil {
		return nil, fmt.Errorf("compressing a record: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compressing a record: %w", err)
	}
	z.writers.Put(w)
	return out.Bytes(), nil
}

func (z *squeezer) unpack(packed []byte) ([]byte, error) {
	if len(packed) == 0 || packed[0] != squeezed {
		return nil, errors.New("the record has an unknown form")
	}
	in := bytes.NewReader(packed[1:])
	r, ok := z.readers.Get().(io.ReadCloser)
	if ok {
		reset, can := r.(flate.Resetter)
		if !can {
			return nil, errors.New("decompressing a record: no reader")
		}
		if err := reset.Reset(in, []byte(dictionary1)); err != nil {
			return nil, fmt.Errorf("decompressing a record: %w", err)
		}
	} else {
		r = flate.NewReaderDict(in, []byte(dictionary1))
	}
	plain, err := io.ReadAll(io.LimitReader(r, maxRecord+1))
	if err != nil {
		return nil, fmt.Errorf("decompressing a record: %w", err)
	}
	if len(plain) > maxRecord {
		return nil, errors.New("decompressing a record: it is too large")
	}
	z.readers.Put(r)
	return plain, nil
}

func (s *Store) encodeRemote(v *RemoteVideo) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encoding a remote video: %w", err)
	}
	if len(raw) > maxRecord {
		return nil, fmt.Errorf("the description of the video %.100s is too large", v.ID)
	}
	return s.squeezer.pack(raw)
}

func (s *Store) decodeRemote(packed []byte) (*RemoteVideo, error) {
	raw, err := s.squeezer.unpack(packed)
	if err != nil {
		return nil, err
	}
	v := new(RemoteVideo)
	if err := json.Unmarshal(raw, v); err != nil {
		return nil, fmt.Errorf("decoding a remote video: %w", err)
	}
	return v, nil
}
