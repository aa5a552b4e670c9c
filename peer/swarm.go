// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anacrolix/torrent"
	"github.com/anacrolix/torrent/metainfo"

	"shoal/peer/pulse"
	"shoal/peer/webrtc"
)

// ErrLeft says that the swarm has been left.
var ErrLeft = errors.New("this swarm has been left")

// Swarm is one torrent this machine takes part in.
type Swarm struct {
	engine   *Engine
	infohash metainfo.Hash
	sources  Sources
	serial   int64
	store    *store
	torrent  atomic.Pointer[torrent.Torrent] // see loaded
	second   atomic.Pointer[metainfo.Hash]   // the truncated infohash of a hybrid torrent (BEP 52)
	info     *metainfo.Info                  // without the hashes of its pieces; set when ready is closed
	tally    tally
	peersBy  peerCounts

	ctx    context.Context
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup
	ready  chan struct{} // closed when the metadata is known
	broken chan struct{} // closed when the metadata turns out unusable

	tending  *pulse.Pulse // of tend
	finished atomic.Bool  // tend has seen it whole
	users    atomic.Int32 // of use
	needed   atomic.Int64 // the torrent, by Engine.ticks

	infoSize  atomic.Int64  // bytes of the info; 0 until the metadata is known
	entered   atomic.Bool   // the torrent is set and started
	settled   chan struct{} // closed when no data on disk is in doubt
	openErr   atomic.Pointer[error]
	leaving   sync.Once
	resumedAt atomic.Int64 // by Engine.ticks

	planning    sync.Mutex   // one plan at a time; see plan
	switching   sync.Mutex   // one connect or disconnect at a time
	giveNothing bool         // no payload is given; under switching
	watching    atomic.Int32 // streams that are open

	mu       sync.Mutex // never held while calling the client
	target   Target
	paused   bool
	resumed  chan struct{} // closed and replaced at each Resume
	halted   bool          // a problem stopped fetching, until Resume
	retry    diskRetry     // of what halted
	problem  string
	download bool
	streams  map[*Stream]struct{}
	recheck  []int        // pieces that failed their hash: see recheckFailed
	changed  []*storeFile // files that somebody else changed: see recheckFile
	met      []string     // addresses that were dialed with success, newest last
	spoiled  string       // what a person should know of them
	gone     int          // how many of them are missing, for which fetching has stopped

	ordered *torrent.Torrent // that Download has put in order; under planning
	front   map[int]bool     // the pieces that it has put first; under planning

	held         bool // nobody watches, and the network is metered
	watchedUntil time.Time

	network     context.CancelFunc // ends trackers and sources; nil while paused
	networkCtx  context.Context
	fetching    bool // the metadata, from exact sources
	onlineSince time.Time
	wanted      time.Time           // since when something is fetched; zero: nothing is
	webSeeding  bool                // the client uses the WebSeeds
	webSeeds    []string            // those it uses
	liars       map[string]disgrace // WebSeeds that sent wrong bytes, by host
	found       bool                // a tracker has told of peers
	trackers    []*announcer
	rtc         *webrtc.Swarm
	netWG       sync.WaitGroup

	rates atomic.Pointer[rates]
}

// File is one file of a swarm.
type File struct {
	Index  int
	Path   string // slash-separated, as in the torrent
	Length int64  // bytes
}

func (e *Engine) newSwarm(target Target, sources Sources, st *store) *Swarm {
	s := &Swarm{
		engine: e, infohash: target.Infohash, sources: sources, serial: e.serial.Add(1), store: st,
		target: target, ready: make(chan struct{}), broken: make(chan struct{}),
		resumed: make(chan struct{}), settled: make(chan struct{}), streams: map[*Stream]struct{}{}, front: map[int]bool{},
	}
	s.ctx, s.cancel = context.WithCancelCause(e.ctx)
	s.tending = pulse.New(s.tend)
	st.db, st.cache, st.ih, st.writable, st.ticks = e.pieces, e.files, target.Infohash, e.config.writable, e.ticks
	st.onOpen = s.storeOpened
	st.onVerified = func(piece, _ int) { s.tally.verified(piece); s.wake() }
	st.onFailed = func(piece, n int) {
		liar := s.tally.failed(piece, n)
		s.mu.Lock()
		if liar != "" {
			s.distrust(liar, time.Now())
		}
		s.recheck = append(s.recheck, piece)
		s.mu.Unlock()
		s.wake()
	}
	st.onComplete = s.wake
	st.onChanged = s.fileChanged
	return s
}

// start runs once.
func (s *Swarm) start(target Target) {
	s.wg.Go(s.begin)
	s.switching.Lock()
	defer s.switching.Unlock()
	metered := s.engine.Limits().Metered
	s.giveNothingWhile(metered)
	s.mu.Lock()
	s.held = metered && target.MetaInfo != nil
	offline := s.held || s.paused
	s.mu.Unlock()
	if offline {
		s.disconnect()
	} else {
		s.connect()
	}
}

// Infohash returns the swarm's infohash (v1).
func (s *Swarm) Infohash() metainfo.Hash { return s.infohash }

// Name returns the info's name, or the target's until the info is known.
func (s *Swarm) Name() string {
	if s.isReady() {
		return cleanName(s.info.BestName())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.target.Name
}

// Ready is closed when the metadata is known.
func (s *Swarm) Ready() <-chan struct{} { return s.ready }

func (s *Swarm) isReady() bool {
	select {
	case <-s.ready:
		return true
	default:
		return false
	}
}

// Wait waits for the metadata. It fails when ctx ends, when the swarm is left, and when the
// metadata arrives and cannot be used.
func (s *Swarm) Wait(ctx context.Context) error {
	select {
	case <-s.ready:
		return nil
	default:
	}
	select {
	case <-s.ready:
		return nil
	case <-s.broken:
		return s.openError()
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Files lists the files; nil until the metadata is known.
func (s *Swarm) Files() []File {
	if !s.isReady() {
		return nil
	}
	info := s.info
	var files []File
	for i, f := range info.UpvertedFiles() {
		files = append(files, File{Index: i, Path: f.DisplayPath(info), Length: f.Length})
	}
	return files
}

// Dir returns the folder under which Join puts the swarm's folder.
func (s *Swarm) Dir() string { return s.store.dir }

// InPlace returns the path of the file that Seed was given, "" for a swarm that was joined.
func (s *Swarm) InPlace() string { return s.store.inPlace }

// FilePath returns where a file lies on disk, "" while that is unknown.
func (s *Swarm) FilePath(file int) string {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	if file < 0 || file >= len(s.store.files) {
		return ""
	}
	return s.store.files[file].path
}

// Target returns what would join this swarm again, with the metadata once it is known.
func (s *Swarm) Target() Target {
	s.mu.Lock()
	t := s.target
	s.mu.Unlock()
	t.Trackers, t.WebSeeds = slices.Clone(t.Trackers), slices.Clone(t.WebSeeds)
	t.ExactSources, t.Peers = slices.Clone(t.ExactSources), slices.Clone(t.Peers)
	return t
}

// Bitfield returns how much of each of n equal parts of the payload is on disk, from 0 to 1.
func (s *Swarm) Bitfield(n int) []float32 { return s.store.bitfield(n) }

// storeOpened is called by the store when the info is there, under the client's lock.
func (s *Swarm) storeOpened(err error) {
	if err == nil {
		return // tend goes on when the client says that it has the info
	}
	if s.openErr.Swap(&err) == nil {
		close(s.broken)
	}
}

func (s *Swarm) openError() error {
	if err := s.openErr.Load(); err != nil {
		return *err
	}
	return errors.New("the metadata was not accepted")
}

// merge adds trackers, WebSeeds and peers.
func (s *Swarm) merge(t Target) error {
	if tt := s.loaded(); tt != nil && t.MetaInfo != nil && !s.isReady() {
		if err := tt.SetInfoBytes(t.MetaInfo.InfoBytes); err != nil {
			return fmt.Errorf("using the torrent file: %w", err)
		}
	}
	s.switching.Lock()
	defer s.switching.Unlock()
	s.mu.Lock()
	s.target = s.target.merge(t)
	connected := s.network != nil
	s.mu.Unlock()
	if connected {
		s.connect()
	}
	return nil
}

// onMetadata runs once the info is known.
func (s *Swarm) onMetadata() {
	s.info = s.store.meta()
	name := cleanName(s.info.BestName())
	var mi metainfo.MetaInfo
	if t := s.loaded(); t != nil { // before mu is taken, for this takes the client's lock
		fresh := t.Metainfo()
		mi = metainfo.MetaInfo{InfoBytes: fresh.InfoBytes, PieceLayers: fresh.PieceLayers}
	}
	s.mu.Lock()
	if have := s.target.MetaInfo; have != nil {
		mi = *have
	}
	s.infoSize.Store(int64(len(mi.InfoBytes)))
	if s.info.HasV2() {
		hash := sha256.Sum256(mi.InfoBytes)
		second := metainfo.Hash(hash[:metainfo.HashSize])
		s.second.Store(&second)
	}
	listed := mi.UpvertedAnnounceList().DistinctValues()
	if mi.AnnounceList == nil && mi.Announce != "" {
		mi.AnnounceList = mi.UpvertedAnnounceList()
	}
	for _, tr := range s.target.Trackers {
		if !slices.Contains(listed, tr) {
			mi.AnnounceList = append(slices.Clone(mi.AnnounceList), []string{tr})
		}
	}
	for _, ws := range s.target.WebSeeds {
		if !slices.Contains(mi.UrlList, ws) {
			mi.UrlList = append(slices.Clone(mi.UrlList), ws)
		}
	}
	s.target.MetaInfo = &mi
	s.target.Name = name
	s.mu.Unlock()
	close(s.ready)
}

func (s *Swarm) allows(source Source) bool { return s.sources.Has(source) }

// progress returns what trackers are told. left is -1 until the metadata is known.
func (s *Swarm) progress() (uploaded, downloaded, left int64) {
	t := s.tally.snapshot()
	left = -1
	if total := s.store.total.Load(); total > 0 {
		left = total - s.store.completed.Load()
	}
	return t.uploaded.Sum(), t.downloaded.Sum(), left
}
