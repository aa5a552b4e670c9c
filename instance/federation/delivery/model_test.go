// SPDX-License-Identifier: AGPL-3.0-or-later

package delivery

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"
	"pgregory.net/rapid"
)

// Whatever is queued, fails, is retried and restarted in whatever sequence: each message reaches each
// inbox once, those about one object in order, and the counts in memory equal those on disk.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.IntRange(0, 9), 5, 40).Draw(rt, "steps")
		seed := rapid.Uint64().Draw(rt, "seed")
		trouble := rapid.IntRange(0, 90).Draw(rt, "trouble")
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		var problem string
		synctest.Test(t, func(t *testing.T) { problem = model(t, dir, steps, seed, trouble) })
		if problem != "" {
			rt.Fatal(problem)
		}
	})
}

func model(t *testing.T, dir string, steps []int, seed uint64, trouble int) string {
	rng, luck := rand.New(rand.NewPCG(seed, 0)), rand.New(rand.NewPCG(seed, 1))
	bad := []answer{{status: 500}, {status: 503}, {err: errRefused}, {status: hang}, {status: 429, after: time.Minute}, {status: 408}}
	w := &world{}
	healed := false
	w.say = func(Attempt) answer {
		w.mu.Lock()
		ans := answer{status: 202}
		if !healed && luck.IntN(100) < trouble {
			ans = bad[luck.IntN(len(bad))]
		}
		delay := time.Duration(luck.IntN(800)) * time.Millisecond
		w.mu.Unlock()
		time.Sleep(delay)
		return ans
	}
	db := openDB(t, filepath.Join(dir, "instance.db"))
	defer db.Close()
	open := func() *Queue { return newQueue(t, db, Config{Post: w.post, MaxHosts: 3, MaxSlow: 2}) }
	q := open()
	stop := serve(t, q)
	want := map[string]map[string][]string{} // inbox -> order -> ids
	n := 0
	for _, step := range steps {
		switch step {
		case 0, 1, 2, 3, 4:
			err := db.Update(func(tx *bolt.Tx) error {
				for range 1 + rng.IntN(4) {
					m := note(fmt.Sprint(n))
					n++
					m.Order = fmt.Sprint("o", rng.IntN(3))
					for range 1 + rng.IntN(4) {
						m.Inboxes = append(m.Inboxes, fmt.Sprintf("https://h%d.example/%d", rng.IntN(4), rng.IntN(2)))
					}
					slices.Sort(m.Inboxes)
					for _, inbox := range slices.Compact(slices.Clone(m.Inboxes)) {
						if want[inbox] == nil {
							want[inbox] = map[string][]string{}
						}
						want[inbox][m.Order] = append(want[inbox][m.Order], m.ID)
					}
					if err := q.Enqueue(tx, m); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err.Error()
			}
		case 5, 6:
			time.Sleep(time.Duration(rng.IntN(5000)) * time.Millisecond)
		case 7:
			time.Sleep(time.Duration(rng.IntN(60)) * time.Minute)
		case 8:
			if err := q.Retry(""); err != nil {
				return err.Error()
			}
		case 9:
			stop()
			fresh := open()
			if fresh.Depth() != q.Depth() {
				return fmt.Sprintf("depth %d in memory, %d on disk", q.Depth(), fresh.Depth())
			}
			q = fresh
			stop = serve(t, q)
		}
	}
	w.mu.Lock()
	healed = true
	w.mu.Unlock()
	time.Sleep(20 * time.Hour)
	synctest.Wait()
	stop()
	checkEmpty(t, q)
	for inbox, orders := range want {
		got := w.got(inbox)
		total := 0
		for order, ids := range orders {
			total += len(ids)
			var mine []string
			for _, id := range got {
				if slices.Contains(ids, id) {
					mine = append(mine, id)
				}
			}
			if !slices.Equal(mine, ids) {
				return fmt.Sprintf("%s, %s: got %v, want %v", inbox, order, mine, ids)
			}
		}
		if len(got) != total {
			return fmt.Sprintf("%s got %d messages, want %d", inbox, len(got), total)
		}
	}
	return ""
}
