// SPDX-License-Identifier: AGPL-3.0-or-later

package search

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis/analyzer/custom"
	"github.com/blevesearch/bleve/v2/analysis/tokenizer/whitespace"
	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/bleve/v2/mapping"

	"shoal/instance/store"
)

// Dir is the index's name in the data directory.
const Dir = "index"

// form is the index's own form: its mapping and how words are made. An index of another form is
// made anew.
const form = "1"

// The index's own records.
const (
	recordSeq      = "seq"      // the store's sequence that is indexed
	recordIdentity = "identity" // the form and the database's identity
)

// Source is the store as the index reads it.
type Source interface {
	Identity() (string, error)
	LastTouch() (uint64, error)
	TouchedAfter(seq uint64, most int) ([]store.Touched, error)
	Touches() <-chan struct{}
}

// Index finds videos by words. Its methods are safe for concurrent use.
type Index struct {
	path   string
	source Source
	logger *slog.Logger
	want   string // recordIdentity

	mu    sync.RWMutex // held for writing while index is replaced
	index bleve.Index

	damaged chan struct{} // has something once a search met damage

	state sync.Mutex
	seq   uint64
	moved chan struct{} // closed and replaced when seq grows
}

// Open opens the index in the data directory dir, or makes a new one where it is missing, damaged,
// of another database or ahead of it. Serve fills it.
func Open(dir string, source Source, logger *slog.Logger) (*Index, error) {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	identity, err := source.Identity()
	if err != nil {
		return nil, err
	}
	x := &Index{path: filepath.Join(dir, Dir), source: source, logger: logger, want: form + " " + identity, moved: make(chan struct{}), damaged: make(chan struct{}, 1)}
	if err := x.open(); err != nil {
		logger.Info("the search index is made anew", "path", x.path, "reason", err)
		if err := x.create(); err != nil {
			return nil, fmt.Errorf("creating the search index %s: %w", x.path, err)
		}
	}
	return x, nil
}

var errOther = errors.New("it is another database's or of another form")

func (x *Index) open() (err error) {
	defer guard(&err)
	if err := x.countStart(); err != nil {
		return err
	}
	b, err := bleve.OpenUsing(x.path, config())
	if err != nil {
		return fmt.Errorf("opening it: %w", err)
	}
	seq, err := x.check(b)
	if err != nil {
		return errors.Join(err, b.Close())
	}
	x.index, x.seq = b, seq
	return nil
}

// The file in the index's folder that grows by a byte with each start and goes when the index is
// closed, and how large it may get: bleve works in goroutines of its own, and where damage ends the
// program there, the index must not end every next one too.
const (
	startsFile = "starts"
	maxStarts  = 3
)

func (x *Index) countStart() error {
	name := filepath.Join(x.path, startsFile)
	before, err := os.ReadFile(name) //nolint:gosec // in the data directory
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("counting its starts: %w", err)
	}
	if len(before) >= maxStarts {
		return fmt.Errorf("it was not closed %d times", len(before))
	}
	if err := os.WriteFile(name, append(before, '.'), 0o600); err != nil {
		return fmt.Errorf("counting its starts: %w", err)
	}
	return nil
}

// guard turns a panic of bleve, which trusts the files that it reads, into an error.
func guard(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the search index is damaged: %v", p)
	}
}

// check returns the sequence that an index is at.
func (x *Index) check(b bleve.Index) (uint64, error) {
	identity, err := b.GetInternal([]byte(recordIdentity))
	if err != nil {
		return 0, fmt.Errorf("reading it: %w", err)
	}
	if string(identity) != x.want {
		return 0, errOther
	}
	raw, err := b.GetInternal([]byte(recordSeq))
	if err != nil {
		return 0, fmt.Errorf("reading it: %w", err)
	}
	seq, err := parseSeq(raw)
	if err != nil {
		return 0, err
	}
	last, err := x.source.LastTouch()
	if err != nil {
		return 0, err
	}
	if seq > last {
		return 0, errors.New("it is ahead of the database")
	}
	return seq, nil
}

func parseSeq(raw []byte) (uint64, error) {
	if len(raw) != 0 && len(raw) != 8 {
		return 0, errors.New("its sequence number is damaged")
	}
	if len(raw) == 0 {
		return 0, nil
	}
	return binary.BigEndian.Uint64(raw), nil
}

func (x *Index) create() error {
	if err := os.RemoveAll(x.path); err != nil {
		return fmt.Errorf("removing the old one: %w", err)
	}
	m, err := newMapping()
	if err != nil {
		return err
	}
	b, err := bleve.NewUsing(x.path, m, scorch.Name, scorch.Name, config())
	if err != nil {
		return fmt.Errorf("writing it: %w", err)
	}
	if err := b.SetInternal([]byte(recordIdentity), []byte(x.want)); err != nil {
		return errors.Join(fmt.Errorf("writing it: %w", err), b.Close())
	}
	x.index, x.seq = b, 0
	return x.countStart()
}

// config is scorch's, as it comes.
func config() map[string]any { return map[string]any{} }

// The fields of a document. Both hold words, made by this package, with spaces between.
const (
	fieldTitle = "t"
	fieldAll   = "a" // the title's among them
)

const analyzer = "words"

func newMapping() (mapping.IndexMapping, error) {
	m := bleve.NewIndexMapping()
	err := m.AddCustomAnalyzer(analyzer, map[string]any{"type": custom.Name, "tokenizer": whitespace.Name})
	if err != nil {
		return nil, fmt.Errorf("making its analyzer: %w", err)
	}
	doc := bleve.NewDocumentStaticMapping()
	for _, name := range []string{fieldTitle, fieldAll} {
		f := bleve.NewTextFieldMapping()
		f.Analyzer, f.Store, f.IncludeTermVectors, f.IncludeInAll, f.DocValues = analyzer, false, false, false, false
		doc.AddFieldMappingsAt(name, f)
	}
	m.DefaultMapping, m.DefaultAnalyzer, m.StoreDynamic, m.IndexDynamic, m.DocValuesDynamic = doc, analyzer, false, false, false
	return m, nil
}

// Close closes the index. Serve has ended by then.
func (x *Index) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.index == nil {
		return nil
	}
	b := x.index
	x.index = nil
	if err := closeIndex(b); err != nil {
		return fmt.Errorf("closing the search index: %w", err)
	}
	if err := os.Remove(filepath.Join(x.path, startsFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("closing the search index: %w", err)
	}
	return nil
}

// batchSize is how many videos one write takes.
const batchSize = 500

// retryAfter is how long Serve waits after a failure.
const retryAfter = 10 * time.Second

// maxFailures is how often in a row an index may fail to take changes.
const maxFailures = 3

// Serve brings the index up to the store until ctx ends. An index that again and again fails to take
// a change, or that a search found damaged, is made anew.
func (x *Index) Serve(ctx context.Context) error {
	failures := 0
	for {
		if err := x.catchUp(ctx); err != nil && ctx.Err() == nil {
			x.logger.Error("the search index cannot be written", "path", x.path, "error", err)
			if !errors.Is(err, errSource) {
				failures++
			}
			if !x.pause(ctx) {
				continue
			}
			if failures >= maxFailures {
				failures = 0
				x.repair()
			}
			continue
		}
		failures = 0
		select {
		case <-ctx.Done():
			return nil
		case <-x.damaged:
			x.repair()
		case <-x.source.Touches():
		}
	}
}

// pause waits a little and reports whether ctx goes on.
func (*Index) pause(ctx context.Context) bool {
	t := time.NewTimer(retryAfter)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func (x *Index) repair() {
	if err := x.renew(); err != nil {
		x.logger.Error("the search index cannot be made anew", "path", x.path, "error", err)
	}
}

func (x *Index) renew() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	var closing error
	if x.index != nil {
		closing = closeIndex(x.index)
		x.index = nil
	}
	x.state.Lock()
	defer x.state.Unlock()
	if err := x.create(); err != nil {
		return errors.Join(closing, err)
	}
	return nil
}

func closeIndex(b bleve.Index) (err error) {
	defer guard(&err)
	return b.Close()
}

// errSource is a failure that is not the index's own.
var errSource = errors.New("the instance's database cannot be read")

// catchUp indexes what changed, to the end.
func (x *Index) catchUp(ctx context.Context) error {
	for ctx.Err() == nil {
		at := x.at()
		touched, err := x.source.TouchedAfter(at, batchSize)
		if err != nil {
			return fmt.Errorf("%w: %w", errSource, err)
		}
		if len(touched) == 0 {
			return nil
		}
		if err := x.write(touched); err != nil {
			return err
		}
	}
	return nil
}

func (x *Index) at() uint64 {
	x.state.Lock()
	defer x.state.Unlock()
	return x.seq
}

// write indexes videos and notes how far it is, in one step.
func (x *Index) write(touched []store.Touched) (err error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	defer guard(&err)
	if x.index == nil {
		return errors.New("the index is closed")
	}
	b := x.index.NewBatch()
	for i := range touched {
		t := &touched[i]
		id := docID(t.Number)
		if t.Gone {
			b.Delete(id)
			continue
		}
		title := strings.Join(words(t.Title), " ")
		all := title + " " + strings.Join(words(t.Description+"\n"+strings.Join(t.Tags, "\n")+"\n"+t.Channel), " ")
		if err := b.Index(id, map[string]any{fieldTitle: title, fieldAll: all}); err != nil {
			return fmt.Errorf("indexing video %d: %w", t.Number, err)
		}
	}
	seq := touched[len(touched)-1].Seq
	b.SetInternal([]byte(recordSeq), binary.BigEndian.AppendUint64(nil, seq))
	if err := x.index.Batch(b); err != nil {
		return fmt.Errorf("writing to the index: %w", err)
	}
	x.state.Lock()
	defer x.state.Unlock()
	x.seq = seq
	close(x.moved)
	x.moved = make(chan struct{})
	return nil
}

func docID(number uint64) string { return strconv.FormatUint(number, 36) }
