// SPDX-License-Identifier: AGPL-3.0-or-later

package search

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
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
	x := &Index{path: filepath.Join(dir, Dir), source: source, logger: logger, want: form + " " + identity, moved: make(chan struct{})}
	if err := x.open(); err != nil {
		logger.Info("the search index is made anew", "path", x.path, "reason", err)
		if err := x.create(); err != nil {
			return nil, fmt.Errorf("creating the search index %s: %w", x.path, err)
		}
	}
	return x, nil
}

var errOther = errors.New("it is another database's or of another form")

func (x *Index) open() error {
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
	return nil
}

// config is scorch's: few segments, so that a search opens few dictionaries.
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
	if err := b.Close(); err != nil {
		return fmt.Errorf("closing the search index: %w", err)
	}
	return nil
}

// batchSize is how many videos one write takes.
const batchSize = 500

// retryAfter is how long Serve waits after a failure.
const retryAfter = 10 * time.Second

// Serve brings the index up to the store until ctx ends. An index that fails to take a change is
// made anew.
func (x *Index) Serve(ctx context.Context) error {
	for {
		err := x.catchUp(ctx)
		if ctx.Err() != nil {
			return nil
		}
		var again <-chan time.Time
		if err != nil {
			x.logger.Error("the search index cannot be written", "path", x.path, "error", err)
			if err := x.renew(); err != nil {
				x.logger.Error("the search index cannot be made anew", "path", x.path, "error", err)
			}
			t := time.NewTimer(retryAfter)
			defer t.Stop()
			again = t.C
		}
		select {
		case <-ctx.Done():
			return nil
		case <-again:
		case <-x.source.Touches():
		}
	}
}

func (x *Index) renew() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	var closing error
	if x.index != nil {
		closing = x.index.Close()
		x.index = nil
	}
	x.state.Lock()
	defer x.state.Unlock()
	return errors.Join(closing, x.create())
}

// catchUp indexes what changed, to the end.
func (x *Index) catchUp(ctx context.Context) error {
	for ctx.Err() == nil {
		at := x.at()
		touched, err := x.source.TouchedAfter(at, batchSize)
		if err != nil || len(touched) == 0 {
			return err
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
func (x *Index) write(touched []store.Touched) error {
	x.mu.RLock()
	defer x.mu.RUnlock()
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
