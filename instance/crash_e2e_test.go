// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e

package instance

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"shoal/instance/federation/fakefed"
	"shoal/instance/store"
	"shoal/peer/peertube"
)

// How often the instance is killed, and how many activities go each way.
const (
	crashKills    = 100
	crashPerCycle = 10
	crashTotal    = crashKills * crashPerCycle
)

// The child process's orders.
const (
	envCrashDir  = "SHOAL_TEST_CRASH_DIR"
	envCrashUpTo = "SHOAL_TEST_CRASH_UP_TO"
)

// TestCrashChild is the instance that is killed, when it runs as another test's child process.
func TestCrashChild(t *testing.T) {
	if dir := os.Getenv(envCrashDir); dir != "" {
		t.Fatal(crashChild(dir))
	}
}

// crashChild serves, and sees to it that the comments c0 to c(n-1) stand under the video.
func crashChild(dir string) error {
	upTo, err := strconv.Atoi(os.Getenv(envCrashUpTo))
	if err != nil {
		return err
	}
	ctx := context.Background()
	i, err := open(ctx, Config{Dir: dir, Dev: true}, nil)
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- i.Serve(ctx) }()
	select {
	case err := <-served:
		return err
	case <-i.Ready():
	}
	fmt.Println("ready")
	video := i.store.Snapshot().Videos()[0]
	all, err := i.Comments(ctx, video.UUID)
	if err != nil {
		return err
	}
	have := map[string]bool{}
	for _, c := range all {
		have[c.Text] = true
	}
	for n := range upTo {
		if text := "c" + strconv.Itoa(n); !have[text] {
			if _, err := i.Comment(ctx, video.UUID, store.NameRoot, text, ""); err != nil {
				return err
			}
		}
	}
	return <-served
}

// startCrash starts a child and returns when it is ready.
func startCrash(t *testing.T, dir string, upTo int) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.Background(), exe, "-test.run=^TestCrashChild$")
	cmd.Env = append(os.Environ(), envCrashDir+"="+dir, envCrashUpTo+"="+strconv.Itoa(upTo))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || strings.TrimSpace(line) != "ready" {
		t.Fatalf("the instance said %q: %v", line, err)
	}
	return cmd
}

// crashPost is an activity that has to arrive.
type crashPost struct {
	by       *fakefed.Actor
	activity map[string]any
}

// crashPosts are ten activities of a cycle: four likes, three comments, three views.
func crashPosts(remote *fakefed.Server, cycle int, video string) []crashPost {
	var posts []crashPost
	for n := range crashPerCycle {
		name := fmt.Sprintf("p%d", cycle*crashPerCycle+n)
		by := remote.Actor("Person", name)
		switch {
		case n < 4:
			posts = append(posts, crashPost{by, by.Activity("Like", "/likes/"+name, video)})
		case n < 7:
			id := "/notes/" + name
			note := map[string]any{
				"@context": "https://www.w3.org/ns/activitystreams", "type": "Note", "id": remote.URL + id, "attributedTo": by.ID,
				"inReplyTo": video, "content": "from " + name, "published": "2026-11-22T15:30:18.091Z", "url": remote.URL + id,
				"to": []any{"https://www.w3.org/ns/activitystreams#Public"}, "cc": []any{},
			}
			remote.Serve(id, note)
			posts = append(posts, crashPost{by, by.Activity("Create", id+"/activity", note)})
		default:
			posts = append(posts, crashPost{by, by.Activity("View", "/views/"+name, video)})
		}
	}
	return posts
}

// A thousand activities go out and a thousand come in while the instance is killed a hundred times
// at random instants: each arrives, and each takes effect once.
func TestKilledAHundredTimes(t *testing.T) {
	dir, remote := t.TempDir(), fakefed.New(t)
	first := start(t, Config{Dir: dir}, nil)
	v := first.add("Survivor", store.Public)
	video, inbox := first.base.Video(v.UUID), first.URL()+"/inbox"
	follower := remote.Actor("Application", fakefed.NameInstance)
	follow := follower.Activity("Follow", "/follows/1", first.ActorURL())
	if err := follower.Post(t.Context(), inbox, follow); err != nil {
		t.Fatal(err)
	}
	remote.Await("Accept", "")
	first.stop()

	var posting sync.WaitGroup
	for cycle := range crashKills {
		child := startCrash(t, dir, (cycle+1)*crashPerCycle)
		for _, p := range crashPosts(remote, cycle, video) {
			posting.Go(func() { p.until(t, inbox) })
		}
		time.Sleep(time.Duration(rand.IntN(400)) * time.Millisecond) // the random instant
		if err := child.Process.Kill(); err != nil {
			t.Fatalf("kill %d: the instance had ended by itself: %v", cycle, err)
		}
		_ = child.Wait() // it was killed
	}
	last := startCrash(t, dir, crashTotal)
	posting.Wait()
	crashAwait(t, last, first.URL(), v.UUID, remote)
}

// until posts again and again until the inbox takes it.
func (p crashPost) until(t *testing.T, inbox string) {
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		err := p.by.Post(t.Context(), inbox, p.activity)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%v never arrived: %v", p.activity["id"], err)
			return
		}
	}
}

// crashAwait waits until everything arrived, then looks whether anything did twice.
func crashAwait(t *testing.T, child *exec.Cmd, base, uuid string, remote *fakefed.Server) {
	t.Helper()
	client := peertube.New(peertube.Options{Dev: true})
	defer client.Close()
	const likes, notes, views = 4 * crashKills, 3 * crashKills, 3 * crashKills
	var d peertube.VideoDetails
	var comments struct {
		Total int `json:"totalNotDeletedComments"`
	}
	got := map[string]map[string]bool{} // a comment's text: the ids it came with
	done := func() bool {
		var err error
		if d, err = client.Video(t.Context(), base, uuid); err != nil {
			t.Fatal(err)
		}
		raw, err := client.Get(t.Context(), base, "/api/v1/videos/"+uuid+"/comment-threads?count=1", 1<<20)
		if err == nil {
			err = json.Unmarshal(raw, &comments)
		}
		if err != nil {
			t.Fatal(err)
		}
		clear(got)
		for _, r := range remote.Received() {
			var a struct {
				ID, Type string
				Object   json.RawMessage
			}
			var note struct{ Content string }
			if json.Unmarshal(r.Body, &a) != nil || a.Type != "Create" || json.Unmarshal(a.Object, &note) != nil {
				continue
			}
			text := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(note.Content), "<p>"), "</p>")
			if !strings.HasPrefix(text, "c") {
				continue // somebody else's, forwarded
			}
			if got[text] == nil {
				got[text] = map[string]bool{}
			}
			got[text][a.ID] = true
		}
		return d.Likes == likes && d.Views >= views && comments.Total >= notes+crashTotal && len(got) >= crashTotal
	}
	for deadline := time.Now().Add(4 * time.Minute); !done(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after the last start: %d of %d likes, %d of %d views, %d of %d comments, %d of %d sent comments arrived",
				d.Likes, likes, d.Views, views, comments.Total, notes+crashTotal, len(got), crashTotal)
		}
	}
	if d.Views != views || comments.Total != notes+crashTotal {
		t.Errorf("%d views instead of %d, %d comments instead of %d", d.Views, views, comments.Total, notes+crashTotal)
	}
	for n := range crashTotal {
		if ids := got["c"+strconv.Itoa(n)]; len(ids) != 1 {
			t.Errorf("comment c%d went out with %d ids: %v", n, len(ids), ids)
		}
	}
	if err := child.Process.Kill(); err != nil {
		t.Errorf("the instance had ended by itself: %v", err)
	}
	_ = child.Wait()
}
