// SPDX-License-Identifier: AGPL-3.0-or-later

package player

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"shoal/player/mpv"
)

// protocol is the scheme of the URIs by which libmpv asks for a session's files.
const protocol = "shoal"

// session is one Load: its files and how far it came. Player.mu guards it.
type session struct {
	id      uint64
	video   *source
	audio   *source // nil when the sound is in the video's file
	entry   int64   // libmpv's number of the file, 0 until known
	started bool    // START_FILE seen
	loaded  bool
	err     *Error // why it does not play
	noSound *Error
	startAt time.Duration // where it is to start, also a Seek while it was being loaded

	reloading     bool          // it was loaded and is being opened anew
	loads         uint64        // counts the times it was opened
	asked         time.Duration // startAt that libmpv was told
	duration      time.Duration // of the file, 0 while unknown
	width, height int           // of the picture

	ready   chan struct{} // closed when Load may return
	loadErr error         // set before
}

func (s *session) uri(part string) string { return fmt.Sprintf("%s://%d/%s", protocol, s.id, part) }

func (s *session) sources() []*source {
	if s.audio == nil {
		return []*source{s.video}
	}
	return []*source{s.video, s.audio}
}

// finish lets Load return err.
func (s *session) finish(err error) {
	select {
	case <-s.ready:
	default:
		s.loadErr = err
		close(s.ready)
	}
}

// end lets go of the session's files; Load, if it still waits, says that it was superseded.
func (s *session) end() {
	for _, src := range s.sources() {
		src.shut()
	}
	s.finish(&Error{Kind: KindSuperseded, Text: "Loading the video was stopped."})
}

// begin makes a new session the current one and tells libmpv to load it.
func (p *Player) begin(video, audio Opener) (*session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	if p.session != nil {
		p.session.end()
	}
	p.lastID++
	s := &session{id: p.lastID, video: newSource(video, &p.reads), ready: make(chan struct{})}
	if audio != nil {
		s.audio = newSource(audio, &p.reads)
	}
	p.session = s
	p.seeks = p.seeks.fresh()
	p.props.reset()
	if p.frames != nil {
		p.frames.reset()
	}
	p.setPaused(false)
	p.loadFile(s)
	p.changed()
	return s, nil
}

// loadFile tells libmpv to open the session's files and to start where it should. Player.mu is held.
func (p *Player) loadFile(s *session) {
	s.loads++
	s.asked = s.startAt
	start := "none"
	if s.startAt > 0 {
		start = formatSeconds(s.startAt)
	}
	p.set("start", start)
	p.command(0, "change-list", "audio-files", "clr", "")
	if s.audio != nil {
		p.command(0, "change-list", "audio-files", "append", s.uri("audio"))
	}
	p.command(loadReply|s.loadID(), "loadfile", s.uri("video"))
}

// loadID numbers the opening of the session's file among all.
func (s *session) loadID() uint64 { return s.id<<24 | s.loads&(1<<24-1) }

// stop ends the session s if it is the current one, or any for nil.
func (p *Player) stop(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.session == nil || s != nil && p.session != s {
		return
	}
	p.session.end()
	p.session = nil
	p.seeks = p.seeks.fresh()
	p.command(0, "stop")
	p.changed()
}

// openURI opens a file of the current session for libmpv, which calls it on a thread of its own.
func (p *Player) openURI(uri string) (mpv.Stream, error) {
	p.mu.Lock()
	src := p.session.find(uri)
	p.mu.Unlock()
	if src == nil {
		return nil, errors.New("opening: the file is no longer wanted")
	}
	return src.stream()
}

// find returns the source a URI stands for, nil if it is not of this session.
func (s *session) find(uri string) *source {
	switch {
	case s == nil:
		return nil
	case uri == s.uri("video"):
		return s.video
	case uri == s.uri("audio"):
		return s.audio
	}
	return nil
}

// loadFailed says in words for a person why libmpv could not play the session's file.
func (s *session) loadFailed(cause error) *Error {
	if err := s.video.failure(); err != nil {
		return streamError(err)
	}
	var e *mpv.Error
	code := 0
	if errors.As(cause, &e) {
		code = e.Code
	}
	switch code {
	case mpv.ErrUnknownFormat, mpv.ErrLoadingFailed:
		return &Error{Kind: KindNotMedia, Cause: cause, Text: "This file is not a video that can be played. It may be damaged or of another kind."}
	case mpv.ErrNothingToPlay:
		return &Error{Kind: KindNothing, Cause: cause, Text: "This file has neither picture nor sound that can be played. It may be damaged or cut short."}
	case mpv.ErrAudioOutput, mpv.ErrVideoOutput:
		return &Error{Kind: KindOutput, Cause: cause, Text: "The video cannot be shown on this machine. Open it in another player or in the browser."}
	}
	text := "The video cannot be played."
	if e != nil && e.Text != "" {
		text = "The video cannot be played: " + strings.TrimSuffix(e.Text, ".") + "."
	}
	return &Error{Kind: KindPlayback, Cause: cause, Text: text}
}

func streamError(cause error) *Error {
	return &Error{Kind: KindStream, Cause: cause, Text: "The video's data could not be read. Check the connection, then press play to try again."}
}

// checkSound notes why the separate sound is missing; call it once the file is loaded.
func (s *session) checkSound() {
	if s.audio == nil || s.noSound != nil {
		return
	}
	if err := s.audio.failure(); err != nil {
		s.noSound = &Error{Kind: KindNoSound, Cause: err, Text: "The video's sound could not be read, so it plays without. Open it again to try once more."}
	} else if !s.audio.isOpen() {
		s.noSound = &Error{Kind: KindNoSound, Text: "The video's sound file cannot be played, so it plays without. Choose another quality."}
	}
}
