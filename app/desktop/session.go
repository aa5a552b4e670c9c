// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"context"
	"strings"
	"time"

	"shoal/app/core"
	"shoal/instance"
	"shoal/peer"
	"shoal/player"
)

// appProgram is core.App as the window asks for it.
type appProgram struct{ *core.App }

var _ program = appProgram{}

// Open implements program.
func (p appProgram) Open(ctx context.Context, r core.Resolved, height int) (viewing, error) {
	s, err := p.WatchResolved(ctx, r, core.WatchOptions{Quality: height})
	if err != nil {
		return nil, err
	}
	return session{s, p.App}, nil
}

// appPublisher is instance.Instance as the window asks for it.
type appPublisher struct{ *instance.Instance }

// StartPublication implements publisher.
func (p appPublisher) StartPublication(ctx context.Context, req instance.PublishRequest) publication {
	return p.Instance.StartPublication(ctx, req, nil)
}

// Publications implements publisher.
func (p appPublisher) Publications() []publication {
	all := p.Instance.Publications()
	out := make([]publication, len(all))
	for i := range all {
		out[i] = all[i]
	}
	return out
}

// session is core.Session as the watch page asks for it.
type session struct {
	*core.Session
	app *core.App
}

// About implements viewing.
func (s session) About() about {
	a := about{
		Title: oneLine(s.Title, 300), Page: s.Page, Heights: qualities(s.Renditions), Chosen: s.Rendition,
		HasAudio: s.HasAudio(), Local: s.Main == nil,
	}
	if a.Title == "" && s.Main != nil {
		a.Title = oneLine(s.Main.Name(), 300)
	}
	v := s.Video
	if v == nil {
		return a
	}
	a.Channel = oneLine(v.Channel.DisplayName, 100)
	if a.Channel == "" {
		a.Channel = oneLine(v.Channel.Name, 100)
	}
	if v.Channel.Host != "" {
		a.Channel += " · " + oneLine(v.Channel.Host, 100)
	}
	a.ChannelPage = v.Channel.URL
	a.Description = string(v.Description)
	a.Duration = time.Duration(v.Duration) * time.Second
	var facts []string
	if v.Views > 0 {
		facts = append(facts, tr("%s views", formatCount(int64(v.Views))))
	}
	if age := formatAge(v.PublishedAt.Time, time.Now()); age != "" {
		facts = append(facts, age)
	}
	if v.Likes > 0 {
		facts = append(facts, plural(int(v.Likes), "%d like", "%d likes"))
	}
	if v.Dislikes > 0 {
		facts = append(facts, plural(int(v.Dislikes), "%d dislike", "%d dislikes"))
	}
	a.Facts = strings.Join(facts, " · ")
	return a
}

// OpenVideo implements viewing.
func (s session) OpenVideo(ctx context.Context) (player.Media, error) {
	return s.Session.OpenVideo(ctx)
}

// OpenAudio implements viewing.
func (s session) OpenAudio(ctx context.Context) (player.Media, error) {
	return s.Session.OpenAudio(ctx)
}

// Figures implements viewing.
func (s session) Figures() figures {
	if s.Main == nil {
		return figures{}
	}
	stats := s.Main.Stats()
	if s.Audio != nil {
		stats = together(stats, s.Audio.Stats())
	}
	return figures{Stats: stats, Swarm: true}
}

// together adds the figures of the sound's swarm to those of the picture's.
func together(a, b peer.Stats) peer.Stats {
	a.Bytes += b.Bytes
	a.Completed += b.Completed
	a.Complete = a.Complete && b.Complete
	a.Peers = peer.Peers{
		WebRTC: a.Peers.WebRTC + b.Peers.WebRTC, TCP: a.Peers.TCP + b.Peers.TCP,
		UTP: a.Peers.UTP + b.Peers.UTP, WebSeed: a.Peers.WebSeed + b.Peers.WebSeed,
	}
	a.Up += b.Up
	a.Down += b.Down
	a.Uploaded = a.Uploaded.Plus(b.Uploaded)
	a.Downloaded = a.Downloaded.Plus(b.Downloaded)
	a.Wasted += b.Wasted
	if a.Problem == "" {
		a.Problem = b.Problem
	}
	return a
}

// Strip implements viewing.
func (s session) Strip(n int) []float32 {
	if s.Main == nil {
		all := make([]float32, n)
		for i := range all {
			all[i] = 1
		}
		return all
	}
	return s.Main.Bitfield(n)
}

// StreamURL implements viewing.
func (s session) StreamURL() (string, error) { return s.app.StreamURL(s.Session) }
