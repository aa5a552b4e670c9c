// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// talk is what a store should know of videos' rates, shares and comments: a plain model of it.
type talk struct {
	videos   map[string]bool
	rates    map[[2]string]int // video, actor
	shares   map[[2]string]bool
	comments map[string]Comment // living ones
}

// TestTalkModel does random things to videos, actors and hosts and checks after each that counts,
// rates, shares and comments are what they should be, and that nothing is left of what is gone.
func TestTalkModel(t *testing.T) {
	s := openFederated(t)
	s.db.NoSync = true // speed; what a crash leaves is another test's
	hosts := []string{"a.example", "b.example", "sub.a.example"}
	rapid.Check(t, func(t *rapid.T) {
		m := talk{map[string]bool{}, map[[2]string]int{}, map[[2]string]bool{}, map[string]Comment{}}
		if err := s.Write("clearing", func(tx *Tx) error { return errors.Join(purgeHost(tx, "a.example"), purgeHost(tx, "b.example")) }); err != nil {
			t.Fatal(err)
		}
		host := rapid.SampledFrom(hosts)
		actorOf := func(h string, n int) string { return fmt.Sprintf("https://%s/accounts/%d", h, n) }
		actor := rapid.Custom(func(t *rapid.T) string { return actorOf(host.Draw(t, "host"), rapid.IntRange(0, 1).Draw(t, "actor")) })
		videoOf := func(h string, n int) *RemoteVideo {
			v := remote(h, n)
			v.Account, v.Channel, v.Sources = actorOf(h, n), "https://"+h+"/video-channels/c", []string{actorOf(h, n)}
			return v
		}
		video := rapid.Custom(func(t *rapid.T) *RemoteVideo {
			return videoOf(host.Draw(t, "host"), rapid.IntRange(0, 1).Draw(t, "video"))
		})
		do := func(f func(tx *Tx) error) {
			if err := s.Write("testing", f); err != nil {
				t.Fatal(err)
			}
		}
		comments := 0
		t.Repeat(map[string]func(*rapid.T){
			"video": func(t *rapid.T) {
				v := video.Draw(t, "video")
				do(func(tx *Tx) error {
					return errors.Join(tx.PutRemoteVideo(v), tx.PutActor(&Actor{ID: v.Account, Host: v.Host, Username: v.Account}))
				})
				m.videos[v.ID] = true
			},
			"rate": func(t *rapid.T) {
				v, a := video.Draw(t, "video").ID, actor.Draw(t, "actor")
				value := rapid.SampledFrom([]int{-1, 1}).Draw(t, "value")
				do(func(tx *Tx) error {
					old, err := tx.SetRate(v, a, value, "id of "+a)
					if old.Value != m.rates[[2]string{v, a}] {
						t.Errorf("the rate before was %+v", old)
					}
					return err
				})
				m.rates[[2]string{v, a}] = value
			},
			"unrate": func(t *rapid.T) {
				v, a := video.Draw(t, "video").ID, actor.Draw(t, "actor")
				do(func(tx *Tx) error {
					found, ok, err := tx.RateByID(a, "id of "+a)
					if _, has := m.rates[[2]string{found, a}]; ok && !has {
						t.Errorf("found a rate of %s by %s", found, a)
					}
					_, err2 := tx.DeleteRate(v, a)
					return errors.Join(err, err2)
				})
				delete(m.rates, [2]string{v, a})
			},
			"share": func(t *rapid.T) {
				v, a := video.Draw(t, "video").ID, actor.Draw(t, "actor")
				if rapid.Bool().Draw(t, "undo") {
					do(func(tx *Tx) error { return tx.DeleteShare(v, a) })
					delete(m.shares, [2]string{v, a})
					return
				}
				do(func(tx *Tx) error { return tx.PutShare(v, a, "share") })
				m.shares[[2]string{v, a}] = true
			},
			"comment": func(t *rapid.T) {
				comments++
				c := Comment{ID: fmt.Sprintf("https://c.example/%d", comments), Video: video.Draw(t, "video").ID, Author: actor.Draw(t, "actor")}
				c.InReplyTo = c.Video
				if living := slices.Sorted(maps.Keys(m.comments)); len(living) > 0 && rapid.Bool().Draw(t, "reply") {
					to := m.comments[rapid.SampledFrom(living).Draw(t, "to")]
					c.Video, c.InReplyTo = to.Video, to.ID
				}
				do(func(tx *Tx) error { return tx.PutComment(&c) })
				m.comments[c.ID] = c
			},
			"uncomment": func(t *rapid.T) {
				living := slices.Sorted(maps.Keys(m.comments))
				if len(living) == 0 {
					return // there is none
				}
				id := rapid.SampledFrom(living).Draw(t, "comment")
				do(func(tx *Tx) error { return tx.DeleteComment(id) })
				delete(m.comments, id)
			},
			"delete video": func(t *rapid.T) {
				v := video.Draw(t, "video")
				do(func(tx *Tx) error { return tx.DeleteRemoteVideo(v.ID, now) })
				if m.videos[v.ID] { // only a known one has talk that goes with it
					m.dropVideo(v.ID)
				}
			},
			"delete actor": func(t *rapid.T) {
				a := actor.Draw(t, "actor")
				do(func(tx *Tx) error { return tx.DeleteActor(a) })
				m.dropActor(a)
				for v := range m.videos {
					if videoOf(HostOf(v), int(v[len(v)-1]-'0')).Account == a {
						m.dropVideo(v)
					}
				}
			},
			"purge": func(t *rapid.T) {
				h := host.Draw(t, "host")
				do(func(tx *Tx) error { return purgeHost(tx, h) })
				for v := range m.videos {
					if Covers(map[string]bool{h: true}, HostOf(v)) {
						m.dropVideo(v)
					}
				}
				for _, other := range hosts {
					if Covers(map[string]bool{h: true}, other) {
						m.dropActor(actorOf(other, 0))
						m.dropActor(actorOf(other, 1))
					}
				}
			},
			"": func(t *rapid.T) { m.check(t, s) },
		})
	})
}

// purgeHost deletes all of a host in small steps.
func purgeHost(tx *Tx, host string) error {
	blocked := func(h string) bool { return Covers(map[string]bool{host: true}, h) }
	next, err := tx.purge(blocked, "", 2)
	for next != "" && err == nil {
		next, err = tx.purge(blocked, next, 2)
	}
	return err
}

func (m *talk) dropVideo(v string) {
	delete(m.videos, v)
	maps.DeleteFunc(m.rates, func(k [2]string, _ int) bool { return k[0] == v })
	maps.DeleteFunc(m.shares, func(k [2]string, _ bool) bool { return k[0] == v })
	maps.DeleteFunc(m.comments, func(_ string, c Comment) bool { return c.Video == v })
}

func (m *talk) dropActor(a string) {
	maps.DeleteFunc(m.rates, func(k [2]string, _ int) bool { return k[1] == a })
	maps.DeleteFunc(m.shares, func(k [2]string, _ bool) bool { return k[1] == a })
	maps.DeleteFunc(m.comments, func(_ string, c Comment) bool { return c.Author == a })
}

func (m *talk) check(t *rapid.T, s *Store) {
	want := map[string]Counts{}
	add := func(v string, f func(*Counts)) {
		n := want[v]
		f(&n)
		want[v] = n
	}
	for k, value := range m.rates {
		add(k[0], func(n *Counts) {
			if value > 0 {
				n.Likes++
			} else {
				n.Dislikes++
			}
		})
	}
	for k := range m.shares {
		add(k[0], func(n *Counts) { n.Shares++ })
	}
	for _, c := range m.comments {
		add(c.Video, func(n *Counts) { n.Comments++ })
	}
	err := s.Read(func(tx *Tx) error {
		got := map[string]Counts{}
		err := tx.scan(bucketCounts, nil, func(k, v []byte) (bool, error) {
			got[string(k)] = decodeCounts(v)
			return true, nil
		})
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("counts are %v, want %v", got, want)
		}
		rates := map[[2]string]int{}
		for v := range want {
			for _, value := range []int{1, -1} {
				err = errors.Join(err, tx.EachRate(v, value, func(actor string, r Rate) (bool, error) {
					rates[[2]string{v, actor}] = r.Value
					return true, nil
				}))
			}
			shares, err2 := tx.Shares(v)
			living, total, err3 := tx.CommentsOf(v, 0, -1)
			if len(shares) != want[v].Shares || total != want[v].Comments || len(living) != total {
				t.Fatalf("%s has %d shares and %d comments, want %+v", v, len(shares), total, want[v])
			}
			err = errors.Join(err, err2, err3)
		}
		if !reflect.DeepEqual(rates, m.rates) {
			t.Fatalf("rates are %v, want %v", rates, m.rates)
		}
		videos := map[string]bool{}
		err = errors.Join(err, tx.EachRemoteVideo(func(v *RemoteVideo) (bool, error) {
			videos[v.ID] = true
			return true, nil
		}))
		if !reflect.DeepEqual(videos, m.videos) || len(s.list.lines) != len(videos) || len(s.list.dense) != len(videos) {
			t.Fatalf("videos are %v, want %v; %d lines", videos, m.videos, len(s.list.lines))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestPageIsTheSortedListsPart compares pages with those of the whole list sorted.
func TestPageIsTheSortedListsPart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfN(rapid.Int64Range(0, 50), 0, 300).Draw(t, "keys")
		found := make([]item, len(keys))
		for i, k := range keys {
			found[i] = item{k, &line{number: uint64(i), title: string(rune('a' + k%7))}} //nolint:gosec // an index
		}
		q := ListQuery{
			Sort: rapid.SampledFrom([]string{"views", "name", "publishedAt", ""}).Draw(t, "sort"), Descending: rapid.Bool().Draw(t, "descending"),
			Start: rapid.OneOf(rapid.IntRange(-1, 310), rapid.Just(math.MaxInt)).Draw(t, "start"), Count: rapid.OneOf(rapid.IntRange(-1, 310), rapid.Just(math.MaxInt)).Draw(t, "count"),
		}
		sorted := slices.Clone(found)
		slices.SortFunc(sorted, q.order())
		sorted = sorted[min(max(q.Start, 0), len(sorted)):]
		if q.Count >= 0 {
			sorted = sorted[:min(q.Count, len(sorted))]
		}
		page := pageOf(found, q)
		if len(page) != len(sorted) {
			t.Fatalf("%d videos, want %d", len(page), len(sorted))
		}
		for i := range page {
			if page[i].line != sorted[i].line {
				t.Fatalf("number %d is %d, want %d", i, page[i].number, sorted[i].number)
			}
		}
	})
}

// FuzzLine checks that a line that reads is written the same.
func FuzzLine(f *testing.F) {
	f.Add(lineOf(remote("far.example", 1)).encode())
	f.Add([]byte{lineVersion})
	f.Fuzz(func(t *testing.T, b []byte) {
		text := func(b []byte) string { return string(b) }
		l, err := decodeLine(b, text)
		if err != nil {
			return
		}
		first := l.encode()
		again, err := decodeLine(first, text)
		if err != nil || !bytes.Equal(again.encode(), first) || !reflect.DeepEqual(l, again) {
			t.Fatalf("%+v is read back as %+v, %v", l, again, err)
		}
	})
}

// FuzzUnpack checks that a damaged record is an error, and that what was packed comes back.
func FuzzUnpack(f *testing.F) {
	var z squeezer
	packed, err := z.pack([]byte(`{"id":"https://far.example"}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Add([]byte{squeezed})
	f.Fuzz(func(t *testing.T, b []byte) {
		if plain, err := z.unpack(b); err == nil {
			again, err := z.pack(plain)
			if err != nil {
				t.Fatal(err)
			}
			if back, err := z.unpack(again); err != nil || !bytes.Equal(back, plain) {
				t.Fatalf("%q comes back as %q, %v", plain, back, err)
			}
		}
	})
}

// FuzzHosts checks that a block of a host covers it with any port and below, and no other.
func FuzzHosts(f *testing.F) {
	f.Add("bad.example", "bad.example:443")
	f.Add("127.0.0.1", "[::1]:80")
	f.Fuzz(func(t *testing.T, host, other string) {
		clean, err := checkHost(host)
		if err != nil {
			return
		}
		set := map[string]bool{clean: true}
		if CleanHost(clean) != clean {
			t.Fatalf("%q is cleaned once more to %q", clean, CleanHost(clean))
		}
		if !Covers(set, clean) || !Covers(set, strings.ToUpper(clean)) && strings.ToLower(strings.ToUpper(clean)) == clean {
			t.Fatalf("%q does not cover itself", clean)
		}
		if Covers(set, other) && !strings.Contains(CleanHost(other), clean) {
			t.Fatalf("%q covers %q", clean, other)
		}
	})
}

// FuzzHostOf checks that the short way to a host and net/url's agree.
func FuzzHostOf(f *testing.F) {
	for _, id := range []string{"https://a.example:8443/x", "https://User@B.example?x", "http://[::1]:80/", "https://a.example:x/", "://a", "a:b://c.d/", "https://a/ b"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		u, err := url.Parse(id)
		if err != nil {
			return // an id that does not parse never gets as far as the store
		}
		if got, want := HostOf(id), strings.ToLower(u.Host); got != want && strings.HasPrefix(id, "http") {
			t.Fatalf("%q is of %q, not of %q", id, want, got)
		}
	})
}
