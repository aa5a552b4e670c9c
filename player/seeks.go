// SPDX-License-Identifier: AGPL-3.0-or-later

package player

import (
	"strconv"
	"time"
)

// patience is how long a Read may hold up a seek before the file is opened anew.
const patience = 150 * time.Millisecond

// seeks follows the seeks from the moment they are asked for until playback goes on. libmpv answers
// a seek when it is queued, merges queued ones, reports SEEK when its demuxers were told of all that were
// answered before, and PLAYBACK_RESTART when there is a picture again.
type seeks struct {
	issued, answered, done uint64 // numbers of seeks; done: no more waited for
	target                 time.Duration
	exact                  bool
	marks                  []seekMark // of issued seeks that are not answered yet
	mark                   int64      // of the last answered one
}

// seekMark is the number of the last Read that began before a seek was asked for. Such a Read
// cannot be one that the seek itself caused.
type seekMark struct {
	number uint64
	mark   int64
}

// fresh is for the next file: numbers go on, so that late answers are known as such.
func (s *seeks) fresh() seeks { return seeks{issued: s.issued, answered: s.issued, done: s.issued} }

// issue notes a new seek and returns its number.
func (s *seeks) issue(target time.Duration, exact bool, mark int64) uint64 {
	s.issued++
	s.target, s.exact = target, exact
	s.marks = append(s.marks, seekMark{s.issued, mark})
	return s.issued
}

// replied notes that libmpv queued a seek, or refused it.
func (s *seeks) replied(number uint64, err error) {
	for len(s.marks) > 0 && s.marks[0].number <= number {
		if err == nil {
			s.mark = s.marks[0].mark
		}
		s.marks = s.marks[1:]
	}
	if err == nil {
		s.answered = max(s.answered, number)
	} else if number == s.issued {
		s.done = number
	}
}

// restarted notes that playback goes on after every seek answered so far; it says whether that
// brings the playhead to the target.
func (s *seeks) restarted() (arrived bool) {
	before := s.done
	s.done = max(s.done, s.answered)
	return s.done != before && s.done == s.issued
}

// pending returns where the playhead will be while seeks are under way.
func (s *seeks) pending() (time.Duration, bool) { return s.target, s.done < s.issued }

// seek asks libmpv to move the playhead. Player.mu is held.
func (p *Player) seek(pos time.Duration, exact bool) {
	s := p.session
	if s == nil || s.err != nil {
		return
	}
	pos = max(pos, 0)
	if s.duration > 0 {
		pos = min(pos, s.duration)
	}
	if !s.loaded || s.reloading {
		s.startAt = pos
		return
	}
	flags := "absolute+keyframes"
	if exact {
		flags = "absolute+exact"
	}
	number := p.seeks.issue(pos, exact, p.reads.Load())
	p.command(seekReply|number, "seek", formatSeconds(pos), flags)
}

func formatSeconds(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', 3, 64)
}

// unblock keeps a seek from waiting for a Read that waits for bytes nobody wants any more: libmpv moves a
// demuxer only after its thread returned from reading. To end the Read by an error does not do: the
// demuxer may take it for the end of the file and stick to that. So the file is opened anew at
// the place. Call it when the demuxers were told to move. Player.mu is held.
func (p *Player) unblock() {
	s, mark := p.session, p.seeks.mark
	if s == nil || !s.loaded || s.reloading {
		return
	}
	for _, src := range s.sources() {
		number, ok := src.waiting(mark)
		if !ok {
			continue
		}
		time.AfterFunc(patience, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			now, still := src.waiting(mark)
			target, pending := p.seeks.pending()
			if still && now == number && pending && p.session == s && !s.reloading && !p.closed {
				p.reload(target)
				p.changed()
			}
		})
	}
}

// reload opens the session's file anew and plays it from pos. Player.mu is held.
func (p *Player) reload(pos time.Duration) {
	s := p.session
	s.err, s.noSound = nil, nil
	s.reloading, s.started = true, false
	s.startAt = pos
	s.entry = 0
	for _, src := range s.sources() {
		src.forgive()
		src.release()
	}
	p.seeks = p.seeks.fresh()
	p.props.reset()
	p.loadFile(s)
}
