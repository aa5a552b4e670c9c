// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"strings"
	"testing"
	"time"

	"shoal/app/core"
	"shoal/instance"
)

func TestWhatWasGivenUpIsListed(t *testing.T) {
	t.Parallel()
	a, b := serveHere(t), serveHere(t)
	a.do("follow", b.host)
	b.do("block", a.host)
	a.do("unfollow", b.host) // which b refuses to hear
	waitFor(t, func() bool {
		for _, e := range a.do("queue") {
			if e["event"] == "givenUp" && e["host"] == b.host && e["reason"] != "" && e["id"] != "" {
				return true
			}
		}
		return false
	})
	_, stdout, _ := call(t, nil, "queue", "--data", a.data)
	if !strings.Contains(stdout, "Given up, and not tried any more:") {
		t.Errorf("got %q", stdout)
	}
}

func TestRetryOfNothing(t *testing.T) {
	t.Parallel()
	s := serveHere(t)
	code, list, stderr := s.try("queue", "--retry", "nobody.example")
	if code != 1 || len(list) != 1 || list[0]["code"] != "notFound" || !strings.Contains(stderr, "nothing waits for nobody.example") {
		t.Errorf("exit code %d, %v, stderr %q", code, list, stderr)
	}
	if code, _, stderr := s.try("queue", "--retry", ""); code != 2 {
		t.Errorf("no host: exit code %d, stderr %q", code, stderr)
	}
	s.do("queue", "--retry", "all")
}

func TestBlockingSaysWhatItTakesAway(t *testing.T) {
	t.Parallel()
	a, b := serveHere(t), serveHere(t)
	a.do("follow", b.host)
	code, _, stderr := a.try("block", b.host)
	if code != 0 || !strings.Contains(stderr, "follows that ended: 1 to there, 0 from there") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	code, list, stderr := a.try("block", "root@"+a.host)
	if code != 1 || list[len(list)-1]["code"] != "refused" || strings.Count(stderr, "\n") != 1 {
		t.Errorf("itself: exit code %d, %v, stderr %q", code, list, stderr)
	}
	code, list, _ = a.try("unblock", "other.example")
	if code != 1 || list[len(list)-1]["code"] != "notFound" {
		t.Errorf("not blocked: exit code %d, %v", code, list)
	}
}

func TestRepliesAreIndented(t *testing.T) {
	said := core.Said{CommentInfo: instance.CommentInfo{ID: "id", Author: "bob@b", Text: "one\ntwo", Created: time.Unix(0, 0)}, Depth: 1, Answers: "ann@a"}
	got := commentText(said)
	for _, want := range []string{"bob@b, answering ann@a\n", "\n      one\n      two\n      id"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
	if !strings.HasPrefix(got, "    ") {
		t.Errorf("got %q", got)
	}
}
