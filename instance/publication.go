// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"shoal/instance/publish"
)

// Publication is a publication that was begun: it waits for its turn, runs, is paused, or has ended.
// Its methods may be called from any goroutine.
type Publication struct {
	request PublishRequest
	gate    publish.Gate
	cancel  context.CancelFunc
	done    chan struct{}

	mu       sync.Mutex
	progress Progress

	published Published // this and err are valid once done is closed
	err       error
}

// Request is what is published.
func (p *Publication) Request() PublishRequest { return p.request }

// Progress is how far it is. Its stage is empty before the publication's turn comes.
func (p *Publication) Progress() Progress {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.progress
}

// Pause holds it up at the next piece or step. Others have their turn meanwhile.
func (p *Publication) Pause() { p.gate.Pause() }

// Resume lets it go on.
func (p *Publication) Resume() { p.gate.Resume() }

// Paused reports whether it is held up.
func (p *Publication) Paused() bool { return p.gate.Paused() }

// Cancel gives it up; nothing of it is left once it is done. One that is published already stays.
func (p *Publication) Cancel() { p.cancel() }

// Done is closed when it has ended.
func (p *Publication) Done() <-chan struct{} { return p.done }

// Result waits for the end. Its errors are sentences for a person, or context.Canceled for one that
// was given up.
func (p *Publication) Result() (Published, error) {
	<-p.done
	return p.published, p.err
}

// publications are those that have not ended.
type publications struct {
	mu     sync.Mutex
	all    []*Publication
	ended  bool
	ending sync.WaitGroup
}

// add begins a publication, which work does.
func (l *publications) add(ctx context.Context, req PublishRequest, work func(context.Context, *Publication) (Published, error)) *Publication {
	ctx, cancel := context.WithCancel(ctx)
	p := &Publication{request: req, cancel: cancel, done: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		cancel()
		p.err = errors.New("the instance is stopping: publish again once it runs")
		close(p.done)
		return p
	}
	l.all = append(l.all, p)
	l.ending.Go(func() {
		defer cancel()
		p.published, p.err = work(ctx, p)
		l.mu.Lock()
		l.all = slices.DeleteFunc(l.all, func(o *Publication) bool { return o == p })
		l.mu.Unlock()
		close(p.done)
	})
	return p
}

func (l *publications) list() []*Publication {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all)
}

// end gives up all, waits until nothing is left of them, and lets no more begin.
func (l *publications) end() {
	l.mu.Lock()
	l.ended = true
	l.mu.Unlock()
	for _, p := range l.list() {
		p.Cancel()
	}
	l.ending.Wait()
}

// StartPublication begins to publish a file and returns at once. Result tells how it ends; with ctx
// it is given up. progress may be nil; it is called from one goroutine at a time.
func (i *Instance) StartPublication(ctx context.Context, req PublishRequest, progress func(Progress)) *Publication {
	return i.publications.add(ctx, req, func(ctx context.Context, p *Publication) (Published, error) {
		return i.publish(ctx, req, &p.gate, func(now Progress) {
			p.mu.Lock()
			p.progress = now
			p.mu.Unlock()
			if progress != nil {
				progress(now)
			}
		})
	})
}

// Publications are those that have not ended, whoever began them, in the order of their begin.
func (i *Instance) Publications() []*Publication { return i.publications.list() }

// Publish publishes one file and returns once it is served, tracked and seeded. It may be called
// while Serve runs. progress may be nil; it is called from one goroutine at a time. Its errors are
// sentences for a person; a publication that fails leaves nothing behind.
func (i *Instance) Publish(ctx context.Context, req PublishRequest, progress func(Progress)) (Published, error) {
	return i.StartPublication(ctx, req, progress).Result()
}

func (i *Instance) publish(ctx context.Context, req PublishRequest, gate *publish.Gate, progress func(Progress)) (Published, error) {
	privacy, err := parsePrivacy(req.Privacy)
	if err != nil {
		return Published{}, err
	}
	tell := func(stage string, done, total int64) { progress(Progress{stage, done, total}) }
	v, err := i.publisher.Publish(ctx, publish.Request{
		File: req.File, Title: req.Title, Channel: req.Channel, Description: req.Description, Tags: req.Tags, Privacy: privacy, Gate: gate,
	}, tell)
	if err != nil {
		return Published{}, err
	}
	// From here on the video is published, whatever becomes of the request.
	if err := i.seed.video(context.WithoutCancel(ctx), v); err != nil {
		return i.published(v), fmt.Errorf("the video is published, but not seeded until the next start: %w", err)
	}
	tell(publish.StagePublish, 1, 1)
	i.cfg.Logger.Info("published a video", "uuid", v.UUID, "title", v.Title, "bytes", v.Files[0].Size)
	return i.published(v), nil
}
