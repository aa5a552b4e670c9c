// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build bench

package search

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"shoal/instance/store"
)

const remoteVideos = 100_000

// vocabulary makes n words as unevenly common as those of a language.
func vocabulary(n int) (all []string, pick func(*rand.Rand) string) {
	const letters = "aeioubcdfghklmnprstvz"
	r := rand.New(rand.NewPCG(1, 2))
	all = make([]string, n)
	for i := range all {
		b := make([]byte, 3+r.IntN(8))
		for j := range b {
			b[j] = letters[r.IntN(len(letters))]
		}
		all[i] = string(b)
	}
	return all, func(r *rand.Rand) string {
		z := rand.NewZipf(r, 1.1, 8, uint64(n-1))
		return all[z.Uint64()]
	}
}

// fill puts remote videos into a store: 2,000 hosts, one channel on each, the hosts followed.
func fill(b *testing.B, s *store.Store) string {
	b.Helper()
	r := rand.New(rand.NewPCG(3, 4))
	_, word := vocabulary(60_000)
	text := func(n int) string {
		all := make([]string, n)
		for i := range all {
			all[i] = word(r)
		}
		return strings.Join(all, " ")
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for at := 0; at < remoteVideos; {
		err := s.Write("filling", func(tx *store.Tx) error {
			for range 2000 {
				host := fmt.Sprintf("h%d.example", at%2000)
				id := "https://" + host
				if at < 2000 {
					for kind, path := range map[string]string{"Application": "/accounts/peertube", "Person": "/accounts/a", "Group": "/video-channels/c"} {
						if err := tx.PutActor(&store.Actor{ID: id + path, Type: kind, Host: host, Username: path[strings.LastIndexByte(path, '/')+1:], Name: text(2)}); err != nil {
							return err
						}
					}
					err := tx.PutFollowing(&store.Follow{Local: "https://us.example/accounts/peertube", Remote: id + "/accounts/peertube", Host: host, State: store.FollowAccepted})
					if err != nil {
						return err
					}
				}
				uuid := fmt.Sprintf("4e1f2f28-1822-4544-bf7c-%012d", at)
				v := &store.RemoteVideo{
					ID: id + "/videos/watch/" + uuid, UUID: uuid, Host: host, Account: id + "/accounts/a", Channel: id + "/video-channels/c",
					Title: text(6), Description: text(60), Tags: []string{word(r), word(r)}, Privacy: store.Public, Duration: r.IntN(5000), Views: int64(r.IntN(1e5)),
					Published: now.Add(time.Duration(r.IntN(1e7)) * time.Second), Sources: []string{id + "/accounts/peertube", id + "/video-channels/c"},
					Thumbnail: id + "/lazy-static/thumbnails/" + uuid + ".jpg", Preview: id + "/lazy-static/previews/" + uuid + ".jpg",
				}
				for _, height := range []int{1080, 720, 480, 240} {
					file := fmt.Sprintf("%s/static/streaming-playlists/hls/%s/%x-%d.mp4", id, uuid, r.Uint64(), height)
					v.Files = append(v.Files, store.RemoteFile{
						Resolution: height, Width: height * 16 / 9, Height: height, FPS: 25, Size: int64(r.IntN(1e9)), MediaType: "video/mp4", URL: file,
						TorrentURL: id + "/lazy-static/torrents/" + uuid + ".torrent", Infohash: fmt.Sprintf("%016x%016x%08x", r.Uint64(), r.Uint64(), r.Uint32()),
						Magnet: "magnet:?xs=" + id + "/lazy-static/torrents/" + uuid + ".torrent&xt=urn:btih:" + fmt.Sprintf("%016x%016x%08x", r.Uint64(), r.Uint64(), r.Uint32()) + "&tr=wss://" + host + "/tracker/socket&ws=" + file,
						Audio:  true, Video: true,
					})
				}
				if err := tx.PutRemoteVideo(v); err != nil {
					return err
				}
				at++
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return word(r)
}

func sizeOf(b *testing.B, path string) float64 {
	b.Helper()
	var n int64
	err := filepath.Walk(path, func(_ string, fi os.FileInfo, err error) error {
		if err == nil && fi.Mode().IsRegular() {
			n += fi.Size()
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return float64(n) / 1e6
}

// BenchmarkHundredThousandVideos measures a store with 100,000 remote videos: opening, a page of
// the list, a page of a search, and how large the files are.
func BenchmarkHundredThousandVideos(b *testing.B) {
	dir := b.TempDir()
	if kept := os.Getenv("SHOAL_BENCH_DIR"); kept != "" {
		dir = kept
	}
	s, err := store.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	started := time.Now()
	if n, _ := s.LastTouch(); n == 0 {
		fill(b, s)
	}
	fmt.Printf("storing: %v, instance.db %.0f MB\n", time.Since(started).Round(time.Millisecond), sizeOf(b, filepath.Join(dir, store.FileName)))
	started = time.Now()
	x, err := Open(dir, s, nil)
	if err != nil {
		b.Fatal(err)
	}
	if err := x.catchUp(b.Context()); err != nil {
		b.Fatal(err)
	}
	fmt.Printf("indexing: %v, index %.0f MB\n", time.Since(started).Round(time.Millisecond), sizeOf(b, x.path))
	b.Run("open", func(b *testing.B) {
		for range b.N {
			if err := x.Close(); err != nil {
				b.Fatal(err)
			}
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
			if s, err = store.Open(dir); err != nil {
				b.Fatal(err)
			}
			if x, err = Open(dir, s, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	s.SetSearcher(x)
	yes := false
	all, word := vocabulary(60_000)
	r := rand.New(rand.NewPCG(5, 6))
	for name, q := range map[string]store.ListQuery{
		"list/newest":       {Descending: true, Count: 100},
		"list/deep":         {Descending: true, Start: 50_000, Count: 100},
		"list/name":         {Sort: "name", Count: 100},
		"list/host":         {Host: "h7.example", Sort: "views", Descending: true, Count: 100, NSFW: &yes},
		"search/one":        {Search: "?", Count: 100},
		"search/two":        {Search: "? ?", Count: 100},
		"search/prefix":     {Search: "ba", Count: 100},
		"search/letter":     {Search: "a", Count: 100},
		"search/common":     {Search: all[0], Count: 100},
		"search/common two": {Search: all[0] + " " + all[1], Count: 100},
	} {
		b.Run(name, func(b *testing.B) {
			found := 0
			for range b.N {
				q := q
				for strings.Contains(q.Search, "?") {
					q.Search = strings.Replace(q.Search, "?", word(r), 1)
				}
				_, total, err := s.List(context.Background(), q)
				if err != nil {
					b.Fatal(err)
				}
				found += total
			}
			b.ReportMetric(float64(found)/float64(b.N), "found/op")
		})
	}
	if err := x.Close(); err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}
