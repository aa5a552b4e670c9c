// SPDX-License-Identifier: AGPL-3.0-or-later

package player

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"shoal/player/mpv"
)

// Replies carry what they answer in the high bits of their id.
const (
	loadReply uint64 = 1 << 62
	seekReply uint64 = 1 << 61
)

// run is the event loop: the one goroutine that waits for libmpv and, at the end, tears it down.
func (p *Player) run() {
	defer close(p.done)
	for {
		ev := p.handle.Wait(-1)
		select {
		case <-p.quit:
			p.teardown()
			return
		default:
		}
		if ev.ID == mpv.EventShutdown {
			p.quitOnce.Do(func() { close(p.quit) })
			p.teardown()
			return
		}
		p.hear(ev)
	}
}

// teardown frees everything in the order libmpv needs: no stream blocks, nobody draws, then the core goes.
func (p *Player) teardown() {
	p.mu.Lock()
	p.closed = true
	if p.session != nil {
		p.session.end()
		p.session = nil
	}
	p.changed()
	p.mu.Unlock()
	if p.frames != nil {
		p.frames.stop()
	}
	p.closeErr = p.handle.Close()
}

func (p *Player) hear(ev mpv.Event) {
	if ev.ID == mpv.EventLogMessage {
		// libmpv complains of much that nobody can mend, such as decoders that are not there; what stops
		// a video comes as an error of its own.
		level := slog.LevelDebug
		if ev.Level == "error" || ev.Level == "fatal" {
			level = slog.LevelInfo
		}
		p.log.Log(context.Background(), level, "libmpv", "prefix", ev.Prefix, "text", strings.TrimSpace(ev.Text))
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch ev.ID {
	case mpv.EventNone:
		return
	case mpv.EventPropertyChange:
		p.props.set(ev.Name, ev.Value)
	case mpv.EventCommandReply:
		p.replied(ev)
	case mpv.EventStartFile:
		if s := p.session; s != nil && s.entry == ev.EntryID {
			s.started = true
			p.props.reset()
		}
	case mpv.EventFileLoaded:
		p.fileLoaded()
	case mpv.EventEndFile:
		p.fileEnded(ev)
	case mpv.EventSeek:
		p.unblock()
	case mpv.EventPlaybackRestart:
		if p.seeks.restarted() {
			// The position is not reported yet; the old one would make a slider jump back.
			p.props.position = p.seeks.target.Seconds()
		}
	}
	p.changed()
}

// replied takes the outcome of loadfile and seek.
func (p *Player) replied(ev mpv.Event) {
	switch s := p.session; {
	case s == nil:
	case ev.ReplyID == loadReply|s.loadID():
		s.entry = ev.Numbers["playlist_entry_id"]
		if ev.Err != nil {
			p.fail(s, s.loadFailed(ev.Err))
		}
	case ev.ReplyID&seekReply != 0:
		p.seeks.replied(ev.ReplyID&^seekReply, ev.Err)
	}
}

func (p *Player) fileLoaded() {
	s := p.session
	if s == nil || !s.started {
		return
	}
	s.loaded, s.reloading = true, false
	s.checkSound()
	p.props.position = s.asked.Seconds()
	if s.startAt != s.asked {
		p.seek(s.startAt, true)
	}
	s.finish(nil)
}

func (p *Player) fileEnded(ev mpv.Event) {
	s := p.session
	if s == nil || s.entry == 0 || s.entry != ev.EntryID {
		return
	}
	err := s.loadFailed(ev.Err)
	if ev.Err == nil && s.video.failure() == nil {
		err = &Error{Kind: KindPlayback, Text: "The video stopped."}
	}
	p.fail(s, err)
}

// fail notes why the session does not play. It stays in State until the next Load, Stop or Play.
func (p *Player) fail(s *session, err *Error) {
	p.log.Warn("playback failed", "kind", string(err.Kind), "cause", err.Cause)
	s.err = err
	s.startAt, s.loaded, s.reloading = p.state.Position, false, false
	for _, src := range s.sources() {
		src.release()
	}
	s.finish(err)
}

// command queues a command for libmpv; it fails only after Close. Player.mu is held.
func (p *Player) command(id uint64, args ...string) {
	if p.closed {
		return
	}
	if err := p.handle.CommandAsync(id, args...); err != nil && !errors.Is(err, mpv.ErrClosed) {
		p.log.Warn("libmpv refused a command", "command", args[0], "error", err)
	}
}

// set queues the setting of a property. Player.mu is held.
func (p *Player) set(name, value string) {
	if p.closed {
		return
	}
	if err := p.handle.SetAsync(0, name, value); err != nil && !errors.Is(err, mpv.ErrClosed) {
		p.log.Warn("libmpv refused a property", "property", name, "error", err)
	}
}

func (p *Player) setPaused(paused bool) {
	p.paused = paused
	p.set("pause", yesNo(paused))
}
