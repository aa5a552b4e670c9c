// SPDX-License-Identifier: AGPL-3.0-or-later

package search

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2"
	index "github.com/blevesearch/bleve_index_api"
	"go.uber.org/goleak"

	"shoal/instance/store"
)

// source is a store of the words of videos alone.
type source struct {
	identity string

	mu     sync.Mutex
	seq    uint64
	videos map[uint64]store.Touched
	fail   error
	wake   chan struct{}
}

func newSource(identity string) *source {
	return &source{identity: identity, videos: map[uint64]store.Touched{}, wake: make(chan struct{}, 1)}
}

func (s *source) put(number uint64, title string, more ...string) {
	t := store.Touched{Number: number, Title: title}
	if len(more) > 0 {
		t.Description = more[0]
	}
	if len(more) > 1 {
		t.Tags = strings.Split(more[1], ",")
	}
	if len(more) > 2 {
		t.Channel = more[2]
	}
	s.touch(t)
}

func (s *source) touch(t store.Touched) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	t.Seq = s.seq
	s.videos[t.Number] = t
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *source) Identity() (string, error) { return s.identity, nil }

func (s *source) LastTouch() (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seq, nil
}

func (s *source) TouchedAfter(seq uint64, most int) ([]store.Touched, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []store.Touched
	for _, t := range s.videos {
		if t.Seq > seq {
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(a, b store.Touched) int { return int(a.Seq) - int(b.Seq) }) //nolint:gosec // small
	return all[:min(len(all), most)], s.fail
}

func (s *source) Touches() <-chan struct{} { return s.wake }

func open(t *testing.T, dir string, s Source) *Index {
	t.Helper()
	x, err := Open(dir, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

func find(t *testing.T, x *Index, text string) string {
	t.Helper()
	hits, err := x.Search(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(hits, func(a, b store.Hit) int {
		if a.Score != b.Score {
			return map[bool]int{true: -1, false: 1}[a.Score > b.Score]
		}
		return int(a.Number) - int(b.Number) //nolint:gosec // small
	})
	var all []string
	for _, h := range hits {
		all = append(all, fmt.Sprint(h.Number))
	}
	return strings.Join(all, " ")
}

// TestWordsOfAllLanguages checks what is found by what.
func TestWordsOfAllLanguages(t *testing.T) {
	s := newSource("db")
	s.put(1, "Café Österreich", "Une vidéo française", "Straße,λόγος", "Grüne Kanäle kanal_1")
	s.put(2, "Ёлка и Йод", "Новогодняя ёлка")
	s.put(3, "東京の夜景", "観光ビデオ")
	s.put(4, "हिन्दी वीडियो", "नमस्ते")
	s.put(5, "สวัสดีชาวโลก")
	s.put(6, "שָׁלוֹם עולם", "مُحَمَّد")
	s.put(7, "한국어 영상", "ＦＵＬＬＷＩＤＴＨ ﬁne")
	s.put(8, "İstanbul'da C++ и Smørrebrød", "C 4 b")
	x := open(t, t.TempDir(), s)
	if err := x.catchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"cafe": "1", "CAFÉ": "1", "oster": "1", "francaise video": "1", "strasse": "1", "ΛΟΓΟΣ": "1", "λογ": "1", "kanal": "1", "grun kana": "1",
		"елка": "2", "ЙОД": "2", "новогод": "2", "東京": "3", "夜景": "3", "京の夜": "3", "ビデ": "3", "景": "3", "ビデオ": "3", "京東": "",
		"हिन्दी": "4", "नमस्ते": "4", "हिन्": "4", "สวัสดี": "5", "โลก": "5", "שלום": "6", "محمد": "6", "한국": "7", "영상": "7", "fullwidth": "7", "fine": "7",
		"istanbul": "8", "smorrebrod": "8", "c++": "8", "b": "8", "cafe елка": "", "nothing": "", "": "", "+-!": "", "caf*": "1", `"cafe"`: "1", "title:cafe": "", "cafe~2 (": "",
	} {
		if got := find(t, x, text); got != want {
			t.Errorf("%q finds %q, want %q", text, got, want)
		}
	}
}

func TestTitlesComeFirst(t *testing.T) {
	s := newSource("db")
	s.put(1, "About boats", "whales whales whales")
	s.put(2, "Whales", "sea")
	s.put(3, "The sea", "fish", "whales")
	x := open(t, t.TempDir(), s)
	if err := x.catchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := find(t, x, "whales"); !strings.HasPrefix(got, "2 ") || len(got) != 5 {
		t.Errorf("found %s", got)
	}
}

// TestTheIndexFollows checks that a running index has each change before a search ends, also after a
// restart, and forgets what is gone.
func TestTheIndexFollows(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreAnyFunction("github.com/blevesearch/bleve_index_api.AnalysisWorker"))
	dir, s := t.TempDir(), newSource("db")
	for range 2 {
		x, err := Open(dir, s, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- x.Serve(ctx) }()
		for n := uint64(1); n < 20; n++ {
			s.put(n, fmt.Sprintf("number%d", n))
			wait(t, func() bool { return find(t, x, fmt.Sprintf("number%d", n)) != "" })
		}
		s.put(3, "renamed")
		s.touch(store.Touched{Number: 4, Gone: true})
		wait(t, func() bool { return find(t, x, "number3")+find(t, x, "number4") == "" && find(t, x, "renamed") == "3" })
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		s.put(50, "between")
		if err := x.Close(); err != nil {
			t.Error(err)
		}
		if _, err := x.Search(t.Context(), "renamed"); err == nil {
			t.Error("a closed index answers")
		}
	}
}

func wait(t *testing.T, until func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !until(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing came of it")
		}
	}
}

// TestAnIndexThatDoesNotFitIsMadeAnew damages it in several ways.
func TestAnIndexThatDoesNotFitIsMadeAnew(t *testing.T) {
	s := newSource("db")
	s.put(1, "first")
	s.put(2, "second")
	filled := func() string {
		dir := t.TempDir()
		x, err := Open(dir, s, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(x.catchUp(t.Context()), x.Close()); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	older := newSource("db")
	older.put(1, "first")
	other := newSource("other")
	other.put(1, "else")
	for what, f := range map[string]struct {
		harm   func(dir string) error
		source *source
		at     uint64
	}{
		"nothing":          {func(string) error { return nil }, s, 2},
		"another database": {func(string) error { return nil }, other, 0},
		"an older backup":  {func(string) error { return nil }, older, 0},
		"no meta":          {func(dir string) error { return os.Remove(filepath.Join(dir, Dir, "index_meta.json")) }, s, 0},
		"a damaged root": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, Dir, "store", "root.bolt"), []byte(strings.Repeat("damage", 5000)), 0o600)
		}, s, 0},
		"three starts without an end": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, Dir, startsFile), []byte("..."), 0o600)
		}, s, 0},
		"two starts without an end": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, Dir, startsFile), []byte(".."), 0o600)
		}, s, 2},
		"a file in its place": {func(dir string) error {
			return errors.Join(os.RemoveAll(filepath.Join(dir, Dir)), os.WriteFile(filepath.Join(dir, Dir), nil, 0o600))
		}, s, 0},
	} {
		dir := filled()
		if err := f.harm(dir); err != nil {
			t.Fatal(err)
		}
		x := open(t, dir, f.source)
		if x.at() != f.at {
			t.Errorf("%s: the index begins at %d, want %d", what, x.at(), f.at)
		}
		if err := x.catchUp(t.Context()); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		first := "1"
		if f.source == other {
			first = ""
		}
		if got := find(t, x, "first"); got != first {
			t.Errorf("%s: found %q", what, got)
		}
	}
}

// broken is an index that fails.
type broken struct{ whole }

type whole = bleve.Index

func (broken) Batch(*bleve.Batch) error { return errors.New("the disk is full") }

func (broken) Advanced() (index.Index, error) { panic("unexpected bytes") }

// TestAFailureIsRepaired checks that an index that cannot be written or read is made anew while it
// serves.
func TestAFailureIsRepaired(t *testing.T) {
	s := newSource("db")
	s.put(1, "first")
	x := open(t, t.TempDir(), s)
	if err := x.catchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.put(2, "second")
	x.index = broken{x.index}
	if err := x.catchUp(t.Context()); err == nil {
		t.Error("writing to a broken index works")
	}
	if err := errors.Join(x.renew(), x.catchUp(t.Context())); err != nil {
		t.Fatal(err)
	}
	if got := find(t, x, "first") + find(t, x, "second"); got != "12" {
		t.Errorf("found %q", got)
	}
	x.index = broken{x.index}
	if _, err := x.Search(t.Context(), "first"); err == nil {
		t.Error("reading a broken index works")
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- x.Serve(ctx) }()
	wait(t, func() bool {
		hits, err := x.Search(t.Context(), "first")
		return err == nil && len(hits) == 1
	})
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestADamagedSegmentIsAnErrorAtMost overwrites parts of a segment on disk.
func TestADamagedSegmentIsAnErrorAtMost(t *testing.T) {
	s := newSource("db")
	for n := range uint64(300) {
		s.put(n, fmt.Sprintf("title%d word", n), "a longer text about something")
	}
	for at := range 8 {
		dir := t.TempDir()
		x, err := Open(dir, s, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(x.catchUp(t.Context()), x.Close()); err != nil {
			t.Fatal(err)
		}
		segments, err := filepath.Glob(filepath.Join(dir, Dir, "store", "*.zap"))
		if err != nil || len(segments) == 0 {
			t.Fatalf("no segments: %v", err)
		}
		for _, path := range segments {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if at == 0 {
				b = b[:len(b)/2]
			} else {
				from := len(b) * at / 8
				for i := from; i < min(from+64, len(b)); i++ {
					b[i] ^= 0xff
				}
			}
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		x = open(t, dir, s)
		_, searching := x.Search(t.Context(), "word title1")
		s.put(7, "changed")
		t.Logf("at %d: begins at %d, searching: %v, writing: %v", at, x.at(), searching, x.catchUp(t.Context()))
	}
}

// TestSearchOfTheStore searches a real store through its list.
func TestSearchOfTheStore(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	x := open(t, dir, s)
	s.SetSearcher(x)
	const far = "https://far.example"
	err = s.Write("testing", func(tx *store.Tx) error {
		var errs []error
		for n, title := range []string{"Whales", "Sea with whales", "Boats", "Whales unlisted"} {
			uuid := fmt.Sprintf("4e1f2f28-1822-4544-bf7c-%012d", n)
			v := &store.RemoteVideo{
				ID: far + "/videos/watch/" + uuid, UUID: uuid, Host: "far.example", Account: far + "/accounts/a", Channel: far + "/video-channels/c", Title: title,
				Privacy: store.Public, Published: time.Unix(int64(n), 0), Sources: []string{far + "/accounts/peertube"},
			}
			if n == 3 {
				v.Privacy = store.Unlisted
			}
			errs = append(errs, tx.PutRemoteVideo(v))
		}
		return errors.Join(append(errs,
			tx.PutActor(&store.Actor{ID: far + "/video-channels/c", Type: "Group", Host: "far.example", Username: "ocean", Name: "Ocean films"}),
			tx.PutFollowing(&store.Follow{Local: "us", Remote: far + "/accounts/peertube", Host: "far.example", State: store.FollowAccepted}))...)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := x.catchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	check := func(q store.ListQuery, want string) {
		t.Helper()
		page, total, err := s.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		all := []string{fmt.Sprint(total)}
		for _, l := range page {
			all = append(all, l.Remote.Title)
		}
		if got := strings.Join(all, ", "); got != want {
			t.Errorf("%+v: found %q, want %q", q, got, want)
		}
	}
	check(store.ListQuery{Search: "whales", Count: 10}, "2, Whales, Sea with whales")
	check(store.ListQuery{Search: "whales", Count: 1, Start: 1}, "2, Sea with whales")
	check(store.ListQuery{Search: "ocean", Sort: "publishedAt", Count: 10}, "3, Whales, Sea with whales, Boats")
	check(store.ListQuery{Search: "whales", Count: 10, Unlisted: true, Sort: "publishedAt", Descending: true}, "3, Whales unlisted, Sea with whales, Whales")
	err = s.Write("testing", func(tx *store.Tx) error {
		return tx.PutActor(&store.Actor{ID: far + "/video-channels/c", Type: "Group", Host: "far.example", Username: "ocean", Name: "Renamed"})
	})
	if err := errors.Join(err, x.catchUp(t.Context())); err != nil {
		t.Fatal(err)
	}
	check(store.ListQuery{Search: "renamed boats", Count: 10}, "1, Boats")
	err = s.Write("testing", func(tx *store.Tx) error { return tx.PutBlock(store.Block{Host: "far.example"}) })
	if err = errors.Join(err, s.PurgeBlocked(t.Context())); err != nil {
		t.Fatal(err)
	}
	check(store.ListQuery{Search: "boats", Count: 10}, "0") // before the index follows
	if err := x.catchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	check(store.ListQuery{Search: "boats", Count: 10, Unlisted: true}, "0")
}

// FuzzWords checks that words fit into an index and that a text's words are found again as they are.
func FuzzWords(f *testing.F) {
	for _, s := range []string{"Café", "東京の夜景", "हिन्दी", "a\u0301\u0301", "\xff", "İIıi", strings.Repeat("x", 100)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all := words(text)
		for _, w := range all {
			if w == "" || len(w) > maxWord || !utf8.ValidString(w) || strings.ContainsAny(w, " \t\n") {
				t.Fatalf("%q has the word %q", text, w)
			}
			if first, _ := utf8.DecodeRuneInString(w); unicode.Is(unicode.M, first) {
				continue // nobody asks for half a letter
			}
			if again := words(w); !slices.Contains(again, w) {
				t.Fatalf("the word %q of %q becomes %q", w, text, again)
			}
		}
	})
}
