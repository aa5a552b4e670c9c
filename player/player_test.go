// SPDX-License-Identifier: AGPL-3.0-or-later

package player

import (
	"context"
	"errors"
	"io"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"shoal/player/mpv"
)

var errLate = errors.New("late")

// fake is a Media of zeros whose Reads wait where gate is not nil.
type fake struct {
	size      int64
	pos       int64
	gate      chan struct{}
	cancelled chan struct{}
	closed    atomic.Int32
	once      sync.Once
}

func newFake(size int64) *fake { return &fake{size: size, cancelled: make(chan struct{})} }

func (f *fake) Size() int64  { return f.size }
func (f *fake) Cancel()      { f.once.Do(func() { close(f.cancelled) }) }
func (f *fake) Close() error { f.closed.Add(1); return nil }

func (f *fake) Seek(offset int64, _ int) (int64, error) {
	if offset > f.size {
		return 0, errors.New("beyond the end")
	}
	f.pos = offset
	return offset, nil
}

func (f *fake) Read(b []byte) (int, error) {
	if f.gate != nil {
		select {
		case <-f.gate:
		case <-f.cancelled:
			return 0, errLate
		}
	}
	n := int(min(int64(len(b)), f.size-f.pos))
	if n == 0 {
		return 0, io.EOF
	}
	f.pos += int64(n)
	return n, nil
}

func sourceOf(media Media, err error) *source {
	return newSource(func(context.Context) (Media, error) { return media, err }, new(atomic.Int64))
}

func TestSourceKeepsTheFirstFailure(t *testing.T) {
	cause := errors.New("no peers")
	s := sourceOf(nil, cause)
	if _, err := s.stream(); !errors.Is(err, cause) || !errors.Is(s.failure(), cause) || s.isOpen() {
		t.Errorf("%v, %v", err, s.failure())
	}
	s.forgive()
	if s.failure() != nil {
		t.Error("not forgiven")
	}
	if s := sourceOf(nil, nil); func() error { _, err := s.stream(); return err }() == nil {
		t.Error("no media and no error is taken for media")
	}

	m := newFake(10)
	s = sourceOf(m, nil)
	r, err := s.stream()
	if err != nil {
		t.Fatal(err)
	}
	m.size, m.pos = 10, 10 // an end that comes too early
	if _, err := r.Read(make([]byte, 4)); !errors.Is(err, io.ErrUnexpectedEOF) || s.failure() == nil {
		t.Errorf("%v, %v", err, s.failure())
	}
	if err := r.Close(); err != nil || m.closed.Load() != 1 || s.isOpen() {
		t.Errorf("%v, closed %d times", err, m.closed.Load())
	}
}

func TestSourceReadsToTheEnd(t *testing.T) {
	s := sourceOf(newFake(10), nil)
	r, err := s.stream()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 8)
	for _, want := range []int{8, 2, 0} {
		if n, err := r.Read(b); n != want || (err != nil) != (want == 0) {
			t.Errorf("%d, %v, want %d", n, err, want)
		}
	}
	if pos, err := r.Seek(9, io.SeekStart); pos != 9 || err != nil {
		t.Errorf("%d, %v", pos, err)
	}
	if n, _ := r.Read(b); n != 1 || s.failure() != nil {
		t.Errorf("%d, %v", n, s.failure())
	}
	if _, err := r.Seek(99, io.SeekStart); err == nil || s.failure() == nil {
		t.Error("a failing seek is no failure")
	}
}

func TestSourceEndsBlockedReads(t *testing.T) {
	for name, end := range map[string]func(*source, mpv.Stream){
		"shut":    func(s *source, _ mpv.Stream) { s.shut() },
		"release": func(s *source, _ mpv.Stream) { s.release() },
		"cancel":  func(_ *source, r mpv.Stream) { r.Cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			m := newFake(10)
			m.gate = make(chan struct{})
			s := sourceOf(m, nil)
			r, err := s.stream()
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := s.waiting(math.MaxInt64); ok {
				t.Error("waits before it reads")
			}
			result := make(chan error, 1)
			go func() {
				_, err := r.Read(make([]byte, 4))
				result <- err
			}()
			number := int64(0)
			for ok := false; !ok; time.Sleep(time.Millisecond) {
				number, ok = s.waiting(math.MaxInt64)
			}
			if _, ok := s.waiting(number - 1); ok {
				t.Error("a later Read counts as an earlier one")
			}
			end(s, r)
			if err := <-result; !errors.Is(err, errCancelled) || s.failure() != nil {
				t.Errorf("%v, %v", err, s.failure())
			}
		})
	}
}

func TestSourceClosesMediaThatComesLate(t *testing.T) {
	m := newFake(10)
	opening, proceed := make(chan struct{}), make(chan struct{})
	s := newSource(func(context.Context) (Media, error) { // one that does not listen to its context
		close(opening)
		<-proceed
		return m, nil
	}, new(atomic.Int64))
	result := make(chan error, 1)
	go func() {
		_, err := s.stream()
		result <- err
	}()
	<-opening
	s.release()
	if err := <-result; err == nil || s.failure() != nil {
		t.Errorf("%v, %v", err, s.failure())
	}
	close(proceed)
	for end := time.Now().Add(10 * time.Second); m.closed.Load() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the late media is left open")
		}
	}
}

func TestSeeksUntilThereIsAPicture(t *testing.T) {
	var s seeks
	expect := func(what string, target time.Duration, want bool) {
		t.Helper()
		got, pending := s.pending()
		if pending != want || pending && got != target {
			t.Errorf("%s: %v %v, want %v %v", what, got, pending, target, want)
		}
	}
	expect("at first", 0, false)
	a := s.issue(time.Second, false, 10)
	b := s.issue(2*time.Second, true, 20)
	expect("two asked for", 2*time.Second, true)
	s.replied(a, nil)
	if s.mark != 10 {
		t.Errorf("mark %d", s.mark)
	}
	if s.restarted() {
		t.Error("the first one's picture is not the second's")
	}
	expect("the first is done", 2*time.Second, true)
	s.replied(b, nil)
	if s.mark != 20 || !s.restarted() {
		t.Errorf("mark %d", s.mark)
	}
	expect("both are done", 0, false)
	if s.restarted() {
		t.Error("a restart without a seek arrives nowhere")
	}
	c := s.issue(3*time.Second, true, 30)
	s.replied(c, errors.New("refused"))
	expect("refused", 0, false)
	s = s.fresh()
	expect("the next file", 0, false)
	if d := s.issue(0, true, 40); d <= c {
		t.Errorf("number %d after %d", d, c)
	}
	s.replied(c, nil) // of the file before
	if s.restarted(); s.mark == 30 {
		t.Error("a late answer counts")
	}
	expect("after a late answer", 0, true)
}

func playerOf(s *session) *Player {
	return &Player{session: s, volume: 50, watchers: map[chan struct{}]struct{}{}}
}

func TestDeriveBuffering(t *testing.T) {
	s := &session{video: sourceOf(newFake(1), nil), loaded: true}
	p := playerOf(s)
	p.props = properties{position: 1.5, duration: 10, width: 320, height: 180, rotate: 90, percent: 120}
	if st := p.derive(); !st.Playing || st.Buffering || st.Position != 1500*time.Millisecond || st.Width != 180 || st.Height != 320 || st.BufferPercent != 0 {
		t.Errorf("%+v", st)
	}
	p.props.starved = true
	if st := p.derive(); !st.Buffering || st.BufferPercent != 100 || !st.Playing {
		t.Errorf("starved: %+v", st)
	}
	p.props.starved, p.props.seeking = false, true
	if st := p.derive(); !st.Buffering {
		t.Errorf("seeking: %+v", st)
	}
	p.props.seeking = false
	p.seeks.issue(4*time.Second, true, 0)
	if st := p.derive(); !st.Buffering || st.Position != 4*time.Second {
		t.Errorf("seek asked for: %+v", st)
	}
	s.reloading, s.startAt, p.props = true, 4*time.Second, properties{}
	if st := p.derive(); !st.Loaded || st.Loading || !st.Buffering || st.Duration != 10*time.Second || st.Width != 180 {
		t.Errorf("opened anew: %+v", st)
	}
}

func TestDeriveEndAndFailure(t *testing.T) {
	s := &session{video: sourceOf(newFake(1), nil), loaded: true}
	p := playerOf(s)
	p.props.ended = true
	if st := p.derive(); !st.Ended || st.Playing || st.Err != nil {
		t.Errorf("%+v", st)
	}
	s.video.fail(errLate)
	if st := p.derive(); st.Ended || st.Playing || !errors.Is(st.Err, errLate) || st.Err.Error() == errLate.Error() {
		t.Errorf("%+v", st)
	}
	s.audio = sourceOf(nil, errLate)
	if st := p.derive(); st.AudioErr == nil {
		t.Errorf("%+v", st)
	}
	p.session = nil
	if st := p.derive(); st != (State{Volume: 50}) {
		t.Errorf("nothing loaded: %+v", st)
	}
}

func TestWatchersHearOfStepsAndChanges(t *testing.T) {
	p := playerOf(&session{video: sourceOf(newFake(1), nil), loaded: true})
	c, stop := p.Watch()
	heard := func() bool {
		p.changed()
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
	if !heard() || heard() {
		t.Error("not one signal for one change")
	}
	p.props.position = 0.1
	if heard() {
		t.Error("a signal for a picture's step")
	}
	p.props.position = 0.3
	if !heard() {
		t.Error("no signal for a quarter of a second")
	}
	p.props.starved = true
	if !heard() {
		t.Error("no signal for buffering")
	}
	stop()
	p.muted = true
	if heard() {
		t.Error("a signal after stop")
	}
}

func TestLoadFailureTexts(t *testing.T) {
	for code, kind := range map[int]Kind{
		mpv.ErrUnknownFormat: KindNotMedia, mpv.ErrLoadingFailed: KindNotMedia, mpv.ErrNothingToPlay: KindNothing,
		mpv.ErrVideoOutput: KindOutput, mpv.ErrAudioOutput: KindOutput, -20: KindPlayback,
	} {
		s := &session{video: sourceOf(nil, nil)}
		cause := &mpv.Error{Code: code, Text: "text"}
		if err := s.loadFailed(cause); err.Kind != kind || err.Text == "" || !errors.Is(err, cause) {
			t.Errorf("%d: %#v", code, err)
		}
		s.video.fail(errLate)
		if err := s.loadFailed(cause); err.Kind != KindStream || !errors.Is(err, errLate) {
			t.Errorf("%d with a failed stream: %#v", code, err)
		}
	}
}

func FuzzSeconds(f *testing.F) {
	for _, s := range []float64{0, -1, 1.5, math.NaN(), math.Inf(1), 1e300} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s float64) {
		d := seconds(s)
		if d < 0 || s > 0 && s < 1e9 && math.Abs(d.Seconds()-s) > 1e-6 {
			t.Errorf("%v gives %v", s, d)
		}
	})
}
