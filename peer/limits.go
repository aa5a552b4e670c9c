// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"cmp"
	"sync"

	"golang.org/x/time/rate"
)

// Limits bound what the engine takes, over all swarms and all ways to carry payload together. The
// zero value has no rate limit and the usual bounds.
type Limits struct {
	Upload   int64 // bytes of payload per second; 0: none
	Download int64 // bytes per second; 0: none

	// Metered says that the network is paid by the byte: only what is being watched is fetched, and
	// nothing is given. See Stats.Held.
	Metered bool

	Connections         int // with peers, of all swarms together; 0: 400
	ConnectionsPerSwarm int // 0: 60
	HalfOpen            int // connections being opened at one time; 0: 25
	OpenFiles           int // video files held open; 0: 256
}

func (l Limits) withDefaults() Limits {
	l.Upload, l.Download = max(0, l.Upload), max(0, l.Download)
	l.Connections = cmp.Or(max(0, l.Connections), 400)
	l.ConnectionsPerSwarm = min(cmp.Or(max(0, l.ConnectionsPerSwarm), 60), l.Connections)
	l.HalfOpen = cmp.Or(max(0, l.HalfOpen), 25)
	l.OpenFiles = cmp.Or(max(0, l.OpenFiles), 256)
	return l
}

// webRTC returns how many of the connections may be WebRTC's, in all and of one swarm: half of
// them, since each takes more memory than the others do, and browsers have no other way in.
func (l Limits) webRTC() (total, perSwarm int) {
	return max(1, l.Connections/2), max(1, l.ConnectionsPerSwarm/2)
}

const (
	// maxRequest is how much of a piece a peer may ask for at once, in bytes. The usual request has
	// 16 KiB, and BEP 3 takes for a fault what is over 128 KiB.
	maxRequest = 128 << 10
	// minUploadBurst is more than any request: the client panics on a request that is more than the
	// burst.
	minUploadBurst = maxRequest + 32<<10
	// downloadBurst never changes: the client panics where a burst shrinks below a read that is on
	// its way. It is small, for reads wait for their turn, and a wait cannot be cut short.
	downloadBurst = 64 << 10
)

// rateLimiter makes a limiter that SetLimits can set to anything.
func rateLimiter(burst int) *rate.Limiter { return rate.NewLimiter(rate.Inf, burst) }

func rateLimit(bytesPerSecond int64) rate.Limit {
	if bytesPerSecond <= 0 {
		return rate.Inf
	}
	return rate.Limit(bytesPerSecond)
}

// uploadBurst is an eighth of a second, within bounds.
func uploadBurst(bytesPerSecond int64) int {
	return int(min(max(bytesPerSecond/8, minUploadBurst), 4<<20))
}

// Limits returns the limits in force.
func (e *Engine) Limits() Limits { return *e.limits.Load() }

// SetLimits replaces the limits, for what goes on too. Connections that are more than is allowed now
// are dropped. What a metered network asks of each swarm is done soon after it returns.
func (e *Engine) SetLimits(l Limits) {
	e.limiting.Lock()
	defer e.limiting.Unlock()
	l = l.withDefaults()
	was := e.limits.Swap(&l)
	e.setRates(l)
	e.dials.resize(l.HalfOpen)
	e.files.resize(l.OpenFiles)
	if e.transport != nil {
		total, perSwarm := l.webRTC()
		e.transport.SetMaxConns(total, perSwarm, l.HalfOpen)
	}
	for _, s := range e.all() {
		if was.ConnectionsPerSwarm != l.ConnectionsPerSwarm {
			s.resize()
		}
		if was.Metered != l.Metered {
			s.wake()
		}
	}
	e.trimConns()
}

func (e *Engine) setRates(l Limits) {
	e.upload.SetBurst(uploadBurst(l.Upload))
	e.upload.SetLimit(rateLimit(l.Upload))
	e.download.SetLimit(rateLimit(l.Download))
}

// gate lets so many through at one time.
type gate struct {
	mu      sync.Mutex
	size    int
	taken   int
	changed chan struct{} // closed when there may be room
}

func newGate(size int) *gate { return &gate{size: size, changed: make(chan struct{})} }

// enter waits for a place, or until done is closed, which it tells by false.
func (g *gate) enter(done <-chan struct{}) bool {
	for {
		g.mu.Lock()
		if g.taken < g.size {
			g.taken++
			g.mu.Unlock()
			return true
		}
		changed := g.changed
		g.mu.Unlock()
		select {
		case <-changed:
		case <-done:
			return false
		}
	}
}

func (g *gate) leave() {
	g.mu.Lock()
	g.taken--
	g.tell()
	g.mu.Unlock()
}

func (g *gate) resize(size int) {
	g.mu.Lock()
	g.size = size
	g.tell()
	g.mu.Unlock()
}

// tell wakes who waits. mu is held.
func (g *gate) tell() {
	close(g.changed)
	g.changed = make(chan struct{})
}

// requestBuffer is how many bytes of answers to one peer are read ahead of the sending: all of
// them together take no more than a quarter of the memory to stay under, where that is given.
func requestBuffer(memory int64, connections int) int {
	const least, most = 2 * maxRequest, 1 << 20
	if memory <= 0 {
		return most
	}
	return int(min(max(memory/4/int64(max(1, connections)), least), most))
}
