// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync/atomic"
	"time"

	"shoal/app/core"
	"shoal/app/mp4time"
	"shoal/peer"
	"shoal/player"
)

// streaming reads a session's file in playing order.
type streaming struct {
	command *watchCommand
	out     *output
	app     *core.App
	session *core.Session
	sink    *sink
	start   time.Time  // when the swarm was joined
	before  peer.Stats // of the main swarm, which may have been held for long
	// audioBefore is the same for the swarm of the sound.
	audioBefore peer.Stats

	from, to  int64 // bytes of the file to stream
	size      int64
	streamed  atomic.Int64
	firstByte time.Duration
	firstMB   time.Duration
	clock     playClock
	played    func() time.Duration // the playhead, with --play
}

// progressEvent tells each second how it goes; down and up are bytes per second.
type progressEvent struct {
	Event      string     `json:"event"`
	Bytes      int64      `json:"bytes"`     // streamed
	Total      int64      `json:"total"`     // to stream
	Completed  int64      `json:"completed"` // verified on disk
	Down       int64      `json:"down"`
	Up         int64      `json:"up"`
	Peers      peer.Peers `json:"peers"`
	BySource   peer.Bytes `json:"bySource"`
	Stalls     int        `json:"stalls"`
	PositionMs *int64     `json:"positionMs,omitempty"`
}

// doneEvent is the result. Bytes counts what was streamed and sha256 is of it; complete is whether
// that reached the end of the file.
type doneEvent struct {
	Event           string     `json:"event"`
	Complete        bool       `json:"complete"`
	Infohash        string     `json:"infohash"`
	Bytes           int64      `json:"bytes"`
	SHA256          string     `json:"sha256"`
	BySource        peer.Bytes `json:"bySource"`
	FirstByteMs     int64      `json:"firstByteMs"`
	FirstMegabyteMs int64      `json:"firstMegabyteMs"`
	Stalls          int        `json:"stalls"`
	StalledMs       int64      `json:"stalledMs"`
	Wasted          int64      `json:"wasted"`
	Audio           *audioDone `json:"audio,omitempty"`
	PlayedMs        *int64     `json:"playedMs,omitempty"`
}

// audioDone is the same for sound that lies in another file.
type audioDone struct {
	Infohash string     `json:"infohash"`
	Bytes    int64      `json:"bytes"`
	SHA256   string     `json:"sha256"`
	BySource peer.Bytes `json:"bySource"`
}

// megabyte is where firstMegabyteMs is taken.
const megabyte = 1 << 20

// join resolves the address and joins the swarm.
func (j *streaming) join(ctx context.Context, address string, sources peer.Sources) error {
	j.out.progress("Asking for %s", address)
	resolved, err := j.app.Resolve(ctx, address)
	if err != nil {
		return err
	}
	if resolved.Kind == core.KindFile {
		return &core.Error{Code: core.CodeBadInput, Message: "this file is on this machine already: there is nothing to stream"}
	}
	j.start = time.Now()
	j.out.progress("Joining the swarm")
	j.session, err = j.app.WatchResolved(ctx, resolved, core.WatchOptions{Sources: sources, Quality: j.command.Quality})
	if err != nil {
		return err
	}
	j.before = j.session.Main.Stats()
	if j.session.HasAudio() {
		j.audioBefore = j.session.Audio.Stats()
	}
	return nil
}

// announce tells that the metadata is known.
func (j *streaming) announce() {
	s := j.session
	for _, f := range s.Main.Files() {
		if f.Index == s.MainFile {
			j.size = f.Length
		}
	}
	m := metadata{Event: "metadata", Infohash: s.Main.Infohash().HexString(), Name: s.Title, Bytes: j.size, Page: s.Page}
	if s.Rendition >= 0 {
		m.Height = s.Renditions[s.Rendition].Height
	}
	j.out.event(m)
	if !j.sink.stdout {
		j.out.fact("%s (%s)", s.Title, human(j.size))
	}
}

// run streams and reports the result. The error is why the result is not complete.
func (j *streaming) run(ctx context.Context) error {
	video, err := j.session.OpenVideo(ctx)
	if err != nil {
		return fmt.Errorf("opening the stream: %w", err)
	}
	defer func() { _ = video.Close() }() // nothing was written
	stopReading := context.AfterFunc(ctx, video.Cancel)
	defer stopReading()
	if err := j.chooseRange(ctx); err != nil {
		return err
	}
	stopPlaying := j.play(ctx)
	defer stopPlaying()
	audio := j.startAudio(ctx)
	stopReports := j.report()
	sum := sha256.New()
	err = j.copy(video, sum)
	sound, audioErr := audio()
	stopReports()
	done := j.result(sum, sound)
	complete := err == nil && audioErr == nil && j.to == j.size
	if complete {
		err = j.sink.commit()
		complete = err == nil
	}
	done.Complete = complete
	j.out.event(done)
	j.summary(done)
	switch {
	case ctx.Err() != nil && !complete:
		return ctx.Err()
	case err != nil || audioErr != nil:
		return errors.Join(err, audioErr)
	case !complete:
		return &core.Error{Code: "incomplete", Message: fmt.Sprintf("stopped after %s of the video, as --stop-after says: the file is not complete", time.Duration(j.command.StopAfter))}
	}
	return nil
}

// chooseRange turns --from and --stop-after into bytes.
func (j *streaming) chooseRange(ctx context.Context) error {
	j.to = j.size
	from, length := time.Duration(j.command.From), time.Duration(j.command.StopAfter)
	var duration time.Duration
	if j.session.Video != nil {
		duration = time.Duration(j.session.Video.Duration) * time.Second
	}
	if from > 0 || length > 0 {
		index, err := j.index(ctx, duration)
		if err != nil {
			return err
		}
		duration = index.Duration
		if from >= duration {
			return &core.Error{Code: core.CodeBadInput, Message: fmt.Sprintf("--from %s is behind the video's end: it is %s long", from, duration.Round(time.Second))}
		}
		j.from = index.Offset(from)
		if length > 0 && from+length < duration {
			j.to = max(index.Offset(from+length), j.from+1)
		}
	}
	if duration > 0 {
		j.clock.rate = float64(j.size) / duration.Seconds()
	}
	return nil
}

// index reads the file's table of times through a stream of its own.
func (j *streaming) index(ctx context.Context, duration time.Duration) (mp4time.Index, error) {
	media, err := j.session.OpenVideo(ctx)
	if err != nil {
		return mp4time.Index{}, fmt.Errorf("opening the stream: %w", err)
	}
	defer func() { _ = media.Close() }() // nothing was written
	stop := context.AfterFunc(ctx, media.Cancel)
	defer stop()
	setReadAhead(media, 1)
	index, err := mp4time.Read(media, media.Size())
	if err == nil {
		return index, nil
	}
	if ctx.Err() != nil {
		return mp4time.Index{}, ctx.Err()
	}
	if duration > 0 {
		j.app.Logger().Info("times are guessed from the size", "error", err)
		return mp4time.Even(j.size, duration), nil
	}
	return mp4time.Index{}, &core.Error{Code: core.CodeNotMedia, Message: "this file does not say which second is where, so --from and --stop-after cannot be used with it", Err: err}
}

// setReadAhead bounds what is fetched ahead, where the media can.
func setReadAhead(media player.Media, n int64) {
	if s, ok := media.(interface{ SetReadAhead(n int64) }); ok {
		s.SetReadAhead(max(n, 1))
	}
}

// copy reads the chosen range in order.
func (j *streaming) copy(video player.Media, sum hash.Hash) error {
	if _, err := video.Seek(j.from, io.SeekStart); err != nil {
		return fmt.Errorf("seeking: %w", err)
	}
	ahead := j.app.Config().Get().ReadAhead
	buf := make([]byte, 64<<10)
	for pos := j.from; pos < j.to; {
		if j.to < j.size && j.to-pos < ahead {
			setReadAhead(video, j.to-pos) // what comes after is not wanted
		}
		n, err := video.Read(buf[:min(int64(len(buf)), j.to-pos)])
		if n > 0 {
			pos += int64(n)
			j.got(int64(n), pos == j.to)
			sum.Write(buf[:n])
			if _, err := j.sink.Write(buf[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) && pos < j.to {
			err = io.ErrUnexpectedEOF
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("streaming: %w", err)
		}
	}
	return nil
}

// got notes that n more bytes have come.
func (j *streaming) got(n int64, last bool) {
	since := time.Since(j.start)
	total := j.streamed.Add(n)
	if total == n {
		j.firstByte = since
	}
	if j.firstMB == 0 && (total >= megabyte || last) {
		j.firstMB = since
	}
	j.clock.received(since, total, last)
}

// startAudio fetches separate sound at the same time; the result waits for it.
func (j *streaming) startAudio(ctx context.Context) func() (*audioDone, error) {
	if !j.session.HasAudio() {
		return func() (*audioDone, error) { return nil, nil }
	}
	type outcome struct {
		done *audioDone
		err  error
	}
	result := make(chan outcome, 1)
	go func() {
		done, err := j.fetchAudio(ctx)
		result <- outcome{done, err}
	}()
	return func() (*audioDone, error) {
		o := <-result
		return o.done, o.err
	}
}

func (j *streaming) fetchAudio(ctx context.Context) (*audioDone, error) {
	media, err := j.session.OpenAudio(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening the sound: %w", err)
	}
	defer func() { _ = media.Close() }() // nothing was written
	stop := context.AfterFunc(ctx, media.Cancel)
	defer stop()
	// The sound keeps pace with the picture: no more than its share is read.
	share := float64(j.to) / float64(max(j.size, 1))
	sum := sha256.New()
	n, err := io.Copy(sum, io.LimitReader(media, int64(share*float64(media.Size()))))
	if err != nil {
		return nil, fmt.Errorf("streaming the sound: %w", err)
	}
	return &audioDone{Infohash: j.session.Audio.Infohash().HexString(), Bytes: n, SHA256: hex.EncodeToString(sum.Sum(nil))}, nil
}

// play plays the session into nothing with --play, where libmpv is installed.
func (j *streaming) play(ctx context.Context) (stop func()) {
	if !j.command.Play {
		return func() {}
	}
	p, err := player.New(player.Options{NullVideo: true, NullAudio: true, Logger: j.app.Logger()})
	if err != nil {
		j.out.note("shoal: not playing: %s", oneLine(err))
		return func() {}
	}
	var audio player.Opener
	if j.session.HasAudio() {
		audio = j.session.OpenAudio
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := p.Load(ctx, j.session.OpenVideo, audio); err != nil && ctx.Err() == nil {
			j.app.Logger().Info("playing ended", "error", err)
		}
	}()
	j.played = func() time.Duration { return p.State().Position }
	return func() {
		if err := p.Close(); err != nil {
			j.app.Logger().Warn("closing the player failed", "error", err)
		}
		<-ended
	}
}

// report tells each second how it goes, until the returned function is called.
func (j *streaming) report() (stop func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				j.reportOnce()
			}
		}
	}()
	return func() {
		close(quit)
		<-ended
	}
}

func (j *streaming) reportOnce() {
	s := j.session.Main.Stats()
	e := progressEvent{
		Event: "progress", Bytes: j.streamed.Load(), Total: j.to - j.from, Completed: s.Completed, Down: int64(s.Down), Up: int64(s.Up),
		Peers: s.Peers, BySource: s.Downloaded.Minus(j.before.Downloaded), Stalls: j.clock.count(), PositionMs: j.position(),
	}
	j.out.event(e)
	state := fmt.Sprintf("%d peers, %s/s", s.Peers.Sum(), human(int64(s.Down)))
	if s.Problem != "" {
		state = s.Problem
	}
	j.out.progress("%3d %%  %s of %s  %s", percent(e.Bytes, e.Total), human(e.Bytes), human(e.Total), state)
}

func (j *streaming) position() *int64 {
	if j.played == nil {
		return nil
	}
	ms := j.played().Milliseconds()
	return &ms
}

// uploadsWait is after how long the polled figures of uploads cover the present.
const uploadsWait = 700 * time.Millisecond

// figuresWait bounds the wait for figures that include the last piece; they are polled.
const figuresWait = 2 * time.Second

// result collects the figures.
func (j *streaming) result(sum hash.Hash, sound *audioDone) doneEvent {
	now := j.settledStats()
	d := doneEvent{
		Event: "done", Infohash: j.session.Main.Infohash().HexString(), Bytes: j.streamed.Load(), SHA256: hex.EncodeToString(sum.Sum(nil)),
		BySource: now.Downloaded.Minus(j.before.Downloaded), Wasted: now.Wasted - j.before.Wasted, Audio: sound,
		FirstByteMs: j.firstByte.Milliseconds(), FirstMegabyteMs: j.firstMB.Milliseconds(), PlayedMs: j.position(),
	}
	d.Stalls, d.StalledMs = j.clock.totals()
	if sound != nil {
		after := j.session.Audio.Stats()
		sound.BySource = after.Downloaded.Minus(j.audioBefore.Downloaded)
		d.Wasted += after.Wasted - j.audioBefore.Wasted
	}
	return d
}

// settledStats waits a moment for figures that cover what was streamed.
func (j *streaming) settledStats() peer.Stats {
	deadline := time.Now().Add(figuresWait)
	for {
		s := j.session.Main.Stats()
		missing := j.streamed.Load() - j.before.Completed - s.Downloaded.Minus(j.before.Downloaded).Sum()
		if j.streamed.Load() < j.size {
			missing = j.streamed.Load() - s.Completed
		}
		if missing <= 0 || s.Complete || time.Now().After(deadline) {
			return s
		}
		<-time.After(20 * time.Millisecond)
	}
}

func (j *streaming) summary(d doneEvent) {
	if j.sink.stdout {
		return
	}
	if d.Complete {
		j.out.fact("sha256 %s", d.SHA256)
	}
	b := d.BySource
	j.out.fact("%s streamed: WebRTC %s, TCP %s, µTP %s, WebSeed %s; first megabyte after %d ms, %d stalls",
		human(d.Bytes), human(b.WebRTC), human(b.TCP), human(b.UTP), human(b.WebSeed), d.FirstMegabyteMs, d.Stalls)
	if j.sink.final != "" && d.Complete {
		j.out.fact("Written to %s", j.sink.final)
	}
}

// keepSeeding seeds for the asked time or until interrupted.
func (j *streaming) keepSeeding(ctx context.Context) {
	end := time.NewTimer(time.Duration(j.command.KeepSeeding))
	defer end.Stop()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	uploaded := func() peer.Bytes {
		b := j.session.Main.Stats().Uploaded.Minus(j.before.Uploaded)
		if j.session.HasAudio() {
			b = b.Plus(j.session.Audio.Stats().Uploaded.Minus(j.audioBefore.Uploaded))
		}
		return b
	}
	for seeding := true; seeding; {
		select {
		case <-tick.C:
			j.out.progress("Seeding: %s shared back, %d peers", human(uploaded().Sum()), j.session.Main.Stats().Peers.Sum())
		case <-end.C:
			seeding = false
		case <-ctx.Done():
			seeding = false
		}
	}
	<-time.After(uploadsWait)
	j.out.event(seeded{Event: "seeded", Infohash: j.session.Main.Infohash().HexString(), Uploaded: uploaded()})
	if !j.sink.stdout {
		j.out.fact("Shared back: %s", human(uploaded().Sum()))
	}
}
