// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import "sync"

// tally counts payload by source. A chunk counts when the piece it belongs to has passed its hash;
// until then it is remembered by who sent it. Its methods are called under the engine's lock and
// call nobody.
type tally struct {
	mu         sync.Mutex
	pending    map[int][]chunk // by piece
	downloaded Bytes
	uploaded   Bytes // of connections that are closed, and of open ones up to the last poll
	wasted     int64 // failed its hash, or was written twice
	received   int64 // payload the engine had a use for, verified or not
	fromPeers  int64 // what of that did not come from a WebSeed
}

type chunk struct {
	begin  int32
	length int32
	source Source
	host   string // of a WebSeed
}

// receive notes a chunk that was accepted. host is the WebSeed's that sent it.
func (t *tally) receive(piece int, begin, length int, source Source, host string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.received += int64(length)
	if source != SourceWebSeed {
		t.fromPeers += int64(length)
	}
	if t.pending == nil {
		t.pending = map[int][]chunk{}
	}
	chunks := t.pending[piece]
	for i := range chunks {
		if chunks[i].begin == int32(begin) { // an earlier copy was lost on the way to the disk
			t.wasted += int64(chunks[i].length)
			chunks[i] = chunk{int32(begin), int32(length), source, host}
			return
		}
	}
	t.pending[piece] = append(chunks, chunk{int32(begin), int32(length), source, host})
}

// verified counts the chunks of a piece that passed its hash.
func (t *tally) verified(piece int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.pending[piece] {
		t.downloaded.add(c.source, int64(c.length))
	}
	delete(t.pending, piece)
}

// failed counts a piece of n bytes that failed its hash as wasted. One that was hashed before it
// was all there keeps its chunks: they are not fetched again. It returns the WebSeed's host that sent
// the whole piece, "" where that was not one alone.
func (t *tally) failed(piece, n int) (liar string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	got := 0
	for i, c := range t.pending[piece] {
		got += int(c.length)
		if i == 0 {
			liar = c.host
		} else if c.host != liar {
			liar = ""
		}
	}
	if got < n {
		return ""
	}
	t.wasted += int64(got)
	delete(t.pending, piece)
	return liar
}

type tallySnapshot struct {
	downloaded, uploaded Bytes
	wasted, received     int64
	fromPeers            int64
}

func (t *tally) snapshot() tallySnapshot {
	t.mu.Lock()
	defer t.mu.Unlock()
	return tallySnapshot{t.downloaded, t.uploaded, t.wasted, t.received, t.fromPeers}
}

// waste counts payload that nobody had a use for.
func (t *tally) waste(n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wasted += n
}

func (t *tally) upload(source Source, n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.uploaded.add(source, n)
}
