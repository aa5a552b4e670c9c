// SPDX-License-Identifier: AGPL-3.0-or-later

package player

import (
	"strconv"
	"time"
)

// seeks follows the seeks from the moment they are asked for until playback goes on. libmpv answers
// a seek when it is queued, merges queued ones, reports SEEK when its demuxers were told of all that were
// answered before, and PLAYBACK_RESTART when there is a picture again.
type seeks struct {
	issued, answered, done uint64 // numbers of seeks; done: no more waited for
	target                 time.Duration
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
func (s *seeks) issue(target time.Duration, mark int64) uint64 {
	s.issued++
	s.target = target
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

// executed returns the mark up to which Reads wait for bytes that nobody wants any more.
func (s *seeks) executed() int64 { return s.mark }

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
	if !s.loaded {
		s.startAt = pos
		return
	}
	if d := seconds(p.props.duration); d > 0 {
		pos = min(pos, d)
	}
	flags := "absolute+keyframes"
	if exact {
		flags = "absolute+exact"
	}
	number := p.seeks.issue(pos, p.reads.Load())
	p.command(seekReply|number, "seek", strconv.FormatFloat(pos.Seconds(), 'f', 3, 64), flags)
}
