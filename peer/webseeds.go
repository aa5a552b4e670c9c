// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"slices"
	"time"
)

// When WebSeeds are used. They are somebody's bill, and what comes from peers does not add to it.
const (
	// filmRate is what a film needs whose bitrate nobody told, in bytes per second: 1080p takes that.
	filmRate = 1 << 20
	// A playhead has enough with highBuffer seconds of film in front of what can have been watched,
	// and too little under lowBuffer. The read-ahead bounds both.
	lowBuffer, highBuffer = 4, 12
	// firstBuffer is what the start and a seek take from wherever it comes first, in seconds.
	firstBuffer = 1
	// enough is how many times what is needed the peers bring when they are left to themselves.
	enough = 1.5
	// alms is what a WebSeed gives without waiting for peers, in bytes: it is no more than the wait would
	// be worth.
	alms = 1 << 20
)

// supply is what the swarm brings without its WebSeeds.
type supply struct {
	peers bool    // some are connected, or may be in a moment
	rate  float64 // bytes per second, of late
}

// buffer is how far a stream is ahead of whoever watches it. A player reads ahead of what it shows,
// so the watcher is taken to be where they would be if they had watched ever since the last seek.
type buffer struct {
	rate   float64 // of the film, bytes per second
	played float64 // offset in the file up to which it can have been watched
	at     time.Time
	state  bufferState
}

type bufferState int

const (
	bufferStarting  bufferState = iota // up to lowBuffer, at the start and after a seek
	bufferEnough                       // as long as it does not run low
	bufferRefilling                    // up to highBuffer, after it ran low
)

// seek has the watcher begin at an offset.
func (b *buffer) seek(offset int64, now time.Time) {
	b.played, b.at, b.state = float64(offset), now, bufferStarting
}

// thirsty reports whether the WebSeeds should be used for a stream whose next byte to be read is at,
// of which all up to have is there, and which reads that many bytes ahead.
func (b *buffer) thirsty(s supply, at, have, readAhead int64, now time.Time) bool {
	rate := b.rate
	if rate <= 0 {
		rate = filmRate
	}
	b.played = min(b.played+rate*now.Sub(b.at).Seconds(), float64(at))
	b.at = now
	low, high := min(lowBuffer*rate, float64(readAhead)/4), min(highBuffer*rate, float64(readAhead)*3/4)
	buffered := float64(have) - b.played
	switch {
	case buffered >= high, buffered >= low && b.state == bufferStarting:
		b.state = bufferEnough
	case buffered < low && b.state == bufferEnough:
		b.state = bufferRefilling
	}
	switch {
	case !s.peers:
		return true
	case b.state == bufferEnough:
		return false
	default:
		return buffered < min(firstBuffer*rate, low) || s.rate < enough*rate
	}
}

// useWebSeeds has the client use the swarm's WebSeeds, or let go of them. While the swarm is being
// brought online or offline it does nothing: that ends with a call of its own.
func (s *Swarm) useWebSeeds() {
	if !s.allows(SourceWebSeed) || s.store.inPlace != "" || !s.switching.TryLock() {
		return
	}
	defer s.switching.Unlock()
	s.chooseWebSeeds(time.Now())
}

// chooseWebSeeds is useWebSeeds for a caller that holds switching.
func (s *Swarm) chooseWebSeeds(now time.Time) {
	t := s.loaded()
	if t == nil || !s.isReady() {
		return
	}
	nobody := s.nobody(now)
	s.mu.Lock()
	want := s.network != nil && !s.halted && s.thirsty(nobody, now)
	var use []string
	if want {
		use = s.trusted(now)
	}
	if want == s.webSeeding && slices.Equal(use, s.webSeeds) {
		s.mu.Unlock()
		return
	}
	dropped := slices.ContainsFunc(s.webSeeds, func(url string) bool { return !slices.Contains(use, url) })
	s.webSeeding, s.webSeeds = want, use
	s.mu.Unlock()
	if dropped {
		t.RemoveWebSeeds() // the client has no way to remove one
	}
	t.AddWebSeeds(use)
}

// nobody reports whether no peer will come soon: every tracker has said that there is none, or has
// failed. It is asked while peers are being waited for.
func (s *Swarm) nobody(now time.Time) bool {
	s.mu.Lock()
	rtc, trackers, told := s.rtc, s.trackers, s.found || len(s.target.Peers) > 0
	late := !s.wanted.IsZero() && now.Sub(s.wanted) >= s.engine.config.times.arrival
	s.mu.Unlock()
	if told || late || s.store.complete() {
		return false
	}
	var all []TrackerStatus
	for _, a := range trackers {
		all = append(all, a.Status())
	}
	if rtc != nil {
		for _, w := range rtc.Trackers() {
			st := TrackerStatus{Seeders: w.Seeders, Leechers: w.Leechers, LastAnnounce: w.LastAnnounce, LastError: w.LastError}
			if st.Leechers == 0 && st.LastError == "" {
				return false // it has not counted us yet
			}
			all = append(all, st)
		}
	}
	return len(all) > 0 && !slices.ContainsFunc(all, func(st TrackerStatus) bool {
		return st.LastError == "" && (st.LastAnnounce.IsZero() || st.Seeders > 0 || st.Leechers > 1)
	})
}

// thirsty reports whether the peers are too slow for what is wanted. nobody says that none will come
// soon. The caller holds mu.
func (s *Swarm) thirsty(nobody bool, now time.Time) bool {
	have := supply{peers: s.peersBy.webrtc.Load()+s.peersBy.tcp.Load()+s.peersBy.utp.Load() > 0}
	if r := s.rates.Load(); r != nil {
		have.rate = r.fromPeers
	}
	downloading := s.download && !s.store.complete()
	reading := false
	for st := range s.streams {
		reading = reading || st.window.end > st.window.begin
	}
	if !downloading && !reading {
		s.wanted = time.Time{}
		return false
	}
	// The client looks for peers from when it wants something.
	if s.wanted.IsZero() || s.wanted.Before(s.onlineSince) {
		s.wanted = now
	}
	fresh := !nobody && now.Sub(s.wanted) < s.engine.config.times.arrival && s.mayFindPeers()
	have.peers = have.peers || fresh
	thirsty := false
	for st := range s.streams {
		// Each one keeps its own time, so all are asked.
		thirsty = st.thirsty(have, now) || thirsty
	}
	if thirsty || !downloading {
		return thirsty
	}
	if s.webSeeding {
		return !have.peers || have.rate < enough*filmRate
	}
	little := s.store.total.Load()-s.store.completed.Load() <= alms
	return (!fresh || little) && (!have.peers || have.rate < filmRate)
}

// webSeedsReady is how many WebSeeds are in use, or would be if they were needed.
func (s *Swarm) webSeedsReady() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.network == nil || !s.allows(SourceWebSeed) || s.store.inPlace != "" {
		return 0
	}
	return len(s.trusted(time.Now()))
}

// mayFindPeers reports whether there is anywhere that peers may come from. The caller holds mu.
func (s *Swarm) mayFindPeers() bool {
	if !s.allows(SourceWebRTC) && !s.allows(SourceTCP) && !s.allows(SourceUTP) {
		return false
	}
	return len(s.target.Trackers) > 0 || len(s.target.Peers) > 0 || s.engine.config.DHT
}

// thirsty is for one stream. The caller holds swarm.mu.
func (st *Stream) thirsty(have supply, now time.Time) bool {
	w := st.window
	if w.end <= w.begin {
		return false // nothing was read yet
	}
	first := st.swarm.store.firstMissing(w)
	if first == w.end {
		st.buffer.state = bufferEnough
		return false
	}
	length := st.swarm.info.PieceLength
	return st.buffer.thirsty(have, st.at, max(st.at, int64(first)*length-st.offset), st.ahead, now)
}

// SetBitrate tells how many bytes a second the film takes, for the choice of sources: see buffer.
// Zero or less means that nobody knows.
func (st *Stream) SetBitrate(bytesPerSecond float64) {
	st.swarm.mu.Lock()
	defer st.swarm.mu.Unlock()
	st.buffer.rate = bytesPerSecond
}

// firstMissing is the first piece of a span that is missing, or the span's end.
func (st *store) firstMissing(w span) int {
	st.mu.Lock()
	defer st.mu.Unlock()
	for i := w.begin; i < w.end; i++ {
		if st.states[i] == pieceMissing {
			return i
		}
	}
	return w.end
}
