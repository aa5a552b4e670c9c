// SPDX-License-Identifier: AGPL-3.0-or-later

package search

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/query"

	"shoal/instance/store"
)

// freshWait is how long a search waits for changes made before it, where few are missing.
const (
	freshWait = 300 * time.Millisecond
	freshMost = 200
)

// titleBoost is how much more a word in the title counts.
const titleBoost = 4

// Search returns all videos that have each word of text, or one that begins with it,
// in title, description, tags or channel name, in no order. A text without words finds nothing.
func (x *Index) Search(ctx context.Context, text string) ([]store.Hit, error) {
	asked := words(text)
	if len(asked) == 0 {
		return nil, nil
	}
	if len(asked) > maxWords {
		asked = asked[:maxWords]
	}
	x.freshen(ctx)
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.index == nil {
		return nil, errors.New("the search index is closed")
	}
	hits, err := x.collect(ctx, ask(asked))
	if err != nil && ctx.Err() == nil {
		select {
		case x.damaged <- struct{}{}:
		default: // known already
		}
	}
	return hits, err
}

// collect runs a query to its end. It takes no more of each video than its number and its score:
// bleve's own collector keeps and sorts whole records of all that it finds.
func (x *Index) collect(ctx context.Context, q query.Query) (hits []store.Hit, err error) {
	defer guard(&err)
	failed := func(err error) ([]store.Hit, error) { return nil, fmt.Errorf("reading the search index: %w", err) }
	advanced, err := x.index.Advanced()
	if err != nil {
		return failed(err)
	}
	reader, err := advanced.Reader()
	if err != nil {
		return failed(err)
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	found, err := q.Searcher(ctx, reader, x.index.Mapping(), search.SearcherOptions{})
	if err != nil {
		return failed(err)
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	sctx := &search.SearchContext{DocumentMatchPool: search.NewDocumentMatchPool(found.DocumentMatchPoolSize()+1, 0), IndexReader: reader}
	const lookUp = 1024 // how many hits go by between two looks at ctx
	for {
		m, err := found.Next(sctx)
		if err != nil {
			return failed(err)
		}
		if m == nil {
			return hits, nil
		}
		id, err := reader.ExternalID(m.IndexInternalID)
		if err != nil {
			return failed(err)
		}
		if n, err := strconv.ParseUint(id, 36, 64); err == nil {
			hits = append(hits, store.Hit{Number: n, Score: m.Score})
		}
		sctx.DocumentMatchPool.Put(m)
		if len(hits)%lookUp == 0 && ctx.Err() != nil {
			return failed(ctx.Err())
		}
	}
}

// ask builds the query: all words, each as the beginning of a word; those in the title count more. A
// single letter stands for itself: as a beginning it would say nothing.
func ask(asked []string) query.Query {
	q := bleve.NewBooleanQuery()
	for _, w := range asked {
		if first, size := utf8.DecodeRuneInString(w); size == len(w) && !isDense(first) {
			t := bleve.NewTermQuery(w)
			t.SetField(fieldAll)
			q.AddMust(t)
		} else {
			p := bleve.NewPrefixQuery(w)
			p.SetField(fieldAll)
			q.AddMust(p)
		}
		t := bleve.NewTermQuery(w)
		t.SetField(fieldTitle)
		t.SetBoost(titleBoost)
		q.AddShould(t)
	}
	return q
}

// freshen waits shortly for what the store had when the search began. A search during an import
// does not wait.
func (x *Index) freshen(ctx context.Context) {
	last, err := x.source.LastTouch()
	if err != nil {
		return
	}
	limit := time.NewTimer(freshWait)
	defer limit.Stop()
	for {
		x.state.Lock()
		at, moved := x.seq, x.moved
		x.state.Unlock()
		if at >= last || last-at > freshMost {
			return
		}
		select {
		case <-moved:
		case <-limit.C:
			return
		case <-ctx.Done():
			return
		}
	}
}
