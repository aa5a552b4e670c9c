// SPDX-License-Identifier: AGPL-3.0-or-later

package endpoint

import (
	"fmt"
	"net/http"
	"strconv"

	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

// pageSize is how many items a page has.
const pageSize = 20

// maxPage bounds the page that can be asked for.
const maxPage = 1 << 24

// items reads a part of a collection and says how many items there are in all. count is 0 where only that is asked.
type items func(tx *store.Tx, start, count int) (page vocab.Refs, total int, err error)

// collection answers with a collection, or with the page of it that is asked for (ActivityPub §5). There is always a
// number of items: PeerTube ends on a collection without.
func (e *Endpoint) collection(w http.ResponseWriter, r *http.Request, id string, read items) {
	asked := r.URL.Query().Get("page")
	number, err := strconv.Atoi(asked)
	if asked != "" && (err != nil || number < 1 || number > maxPage) {
		e.fail(w, http.StatusBadRequest, "The page is no number from 1")
		return
	}
	var page vocab.Refs
	var total int
	err = e.cfg.Store.Read(func(tx *store.Tx) (err error) {
		if asked == "" {
			_, total, err = read(tx, 0, 0)
			return err
		}
		page, total, err = read(tx, (number-1)*pageSize, pageSize)
		return err
	})
	if err != nil {
		e.broken(w, err)
		return
	}
	at := func(n int) string { return fmt.Sprintf("%s?page=%d", id, n) }
	out := vocab.Collection{Context: vocab.Context("OrderedCollection"), ID: id, Type: "OrderedCollection", TotalItems: int64(total)}
	if asked == "" {
		if total > 0 {
			out.First = vocab.IDRef(at(1))
		} else {
			out.Items = vocab.Refs{}
		}
		e.write(w, typeActivity, http.StatusOK, out)
		return
	}
	out.ID, out.Type, out.PartOf, out.Items = at(number), "OrderedCollectionPage", id, page
	if out.Items == nil {
		out.Items = vocab.Refs{}
	}
	if number*pageSize < total {
		out.Next = at(number + 1)
	}
	if number > 1 {
		out.Prev = at(number - 1)
	}
	e.write(w, typeActivity, http.StatusOK, out)
}

// window keeps those of many items that a page has.
type window struct {
	start, count, total int
	page                vocab.Refs
}

// wants reports whether the next item is on the page, and counts it.
func (w *window) wants() bool {
	w.total++
	return w.total > w.start && len(w.page) < w.count
}

func (w *window) add(id string) {
	if w.wants() {
		w.page = append(w.page, vocab.IDRef(id))
	}
}
