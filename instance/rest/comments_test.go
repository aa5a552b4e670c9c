// SPDX-License-Identifier: AGPL-3.0-or-later

package rest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"shoal/instance/store"
)

// A page of threads read each comment on the video twice, and looked at all again for each of the page.
func TestPageOfThreadsReadsItsOwnCommentsAlone(t *testing.T) {
	s, v, _ := serveRemote(t)
	const each = 2500 // threads, and replies of the last
	err := s.db.Write("testing", func(tx *store.Tx) error {
		put := func(id, to string, n int) error {
			at := farTime.Add(time.Duration(n) * time.Second)
			return tx.PutComment(&store.Comment{ID: id, Video: v.ID, InReplyTo: to, Author: far + "/accounts/alice", Text: id, Created: at, Updated: at})
		}
		for n := range each {
			if err := put(fmt.Sprint("t", n), v.ID, n); err != nil {
				return err
			}
		}
		for n := range each {
			if err := put(fmt.Sprint("r", n), fmt.Sprint("t", each-1), each+n); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	path := "/api/v1/videos/" + v.UUID + "/comment-threads"
	list := as[commentList](s, path+"?count=2")
	if list.Total != each || list.TotalNotDeletedComments != 2*each || len(list.Data) != 2 || list.Data[0].Text != fmt.Sprint("t", each-1) || list.Data[0].TotalReplies != each ||
		list.Data[0].TotalRepliesFromVideoAuthor > maxReplies || list.Data[1].Text != fmt.Sprint("t", each-2) {
		t.Errorf("got %d of %d: %+v", list.Total, list.TotalNotDeletedComments, list.Data)
	}
	if list = as[commentList](s, path+"?count=1&sort=-totalReplies"); len(list.Data) != 1 || list.Data[0].TotalReplies != each {
		t.Errorf("by replies: %+v", list.Data)
	}
	if tree := as[commentTree](s, fmt.Sprint(path, "/", each)); len(tree.Children) != maxReplies-1 || tree.Comment.TotalReplies != each {
		t.Errorf("%d are shown of %d", len(tree.Children), tree.Comment.TotalReplies)
	}
	h := chi.NewRouter()
	h.Route("/api/v1", s.h.Routes)
	allocs := testing.AllocsPerRun(3, func() {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path+"?count=100", nil))
	})
	// Decoding a comment takes more than twenty. What else goes on in the process is counted too.
	if most := float64(15 * 2 * each); allocs > most {
		t.Errorf("%.0f allocations, at most %.0f were expected", allocs, most)
	}
	t.Logf("%.0f allocations", allocs)
}
