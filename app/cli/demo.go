// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"shoal/app/config"
	"shoal/app/core"
	"shoal/instance"
	"shoal/peer"
)

// demoCommand shows the main job on the loopback: a throw-away instance publishes a clip, a second
// peer watches it over WebRTC, and a third gets it from the second alone.
type demoCommand struct{}

const (
	demoSeconds = 20      // length of the clip
	demoBitrate = 5000000 // bits per second
	// The instance sends at twice the bitrate, so that the clip plays while it arrives.
	demoUploadLimit = 2 * demoBitrate / 8
	demoTimeout     = 60 * time.Second // for one viewer
)

// demoEvent is the result.
type demoEvent struct {
	Event    string       `json:"event"`
	Infohash string       `json:"infohash"`
	Bytes    int64        `json:"bytes"`
	SHA256   string       `json:"sha256"`
	Instance demoGiver    `json:"instance"`
	Viewers  []demoViewer `json:"viewers"`
}

// demoGiver is who gave bytes away.
type demoGiver struct {
	Uploaded peer.Bytes `json:"uploaded"`
}

// demoViewer is a viewer: what it got, from whom, and what it gave.
type demoViewer struct {
	Name     string     `json:"name"`
	From     string     `json:"from"`
	BySource peer.Bytes `json:"bySource"`
	Equal    bool       `json:"equal"`
	Uploaded peer.Bytes `json:"uploaded"`
	// PlayedMs is how far it had played when the last byte came; absent without libmpv.
	PlayedMs *int64 `json:"playedMs,omitempty"`
}

// demoStage is the event of a step.
type demoStage struct {
	Event string `json:"event"`
	Stage string `json:"stage"`
}

// demo is one run of the command.
type demo struct {
	r    *run
	dir  string
	app  *core.App
	clip string
	sum  string
	pub  instance.Published
}

func (*demoCommand) run(ctx context.Context, r *run) (err error) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		return &core.Error{Code: "noFFmpeg", Message: "the demo makes its clip with ffmpeg, which is not installed: install ffmpeg (with ffprobe) and start again", Err: err}
	}
	dir, err := os.MkdirTemp("", "shoal-demo-")
	if err != nil {
		return fmt.Errorf("creating a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	d := &demo{r: r, dir: dir}
	if err := d.makeClip(ctx); err != nil {
		return stoppedOr(ctx, err)
	}
	data := filepath.Join(dir, "instance")
	store, err := config.Load(filepath.Join(data, config.FileName), nil)
	if err != nil {
		return err
	}
	if err := store.Update(func(c *config.Config) { c.Network.UploadLimit = demoUploadLimit }); err != nil {
		return err
	}
	own := &run{env: r.env, flags: r.flags, out: r.out, store: store, paths: config.Paths{Data: data, Config: store.Path()}}
	own.env.App = nil
	o := core.Options{
		Instance: &core.InstanceOptions{Listen: "127.0.0.1:0", Name: "Shoal demo", Dev: true},
		Sources:  peer.Sources{peer.SourceWebRTC}, Local: true,
	}
	return own.withApp(ctx, o, func(ctx context.Context, app *core.App) error {
		d.app = app
		return stoppedOr(ctx, d.show(ctx))
	})
}

func (d *demo) stage(stage, format string, args ...any) {
	d.r.out.event(demoStage{Event: "progress", Stage: stage})
	d.r.out.fact(format, args...)
}

// makeClip renders a moving test picture with a tone. The noise keeps the encoder from saving.
func (d *demo) makeClip(ctx context.Context) error {
	d.stage("clip", "Making a clip of %d seconds with ffmpeg ...", demoSeconds)
	d.clip = filepath.Join(d.dir, "clip.mp4")
	length, rate := fmt.Sprint(demoSeconds), fmt.Sprint(demoBitrate)
	cmd := exec.CommandContext(ctx, "ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y",
		"-f", "lavfi", "-i", "testsrc=size=640x360:rate=30:duration="+length,
		"-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration="+length,
		"-vf", "noise=alls=40:allf=t", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "30",
		"-b:v", rate, "-minrate", rate, "-maxrate", rate, "-bufsize", rate, "-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart", d.clip)
	detach(cmd)
	var text capture
	cmd.Stderr = &text
	if err := cmd.Run(); err != nil {
		return &core.Error{Code: "ffmpeg", Message: fmt.Sprintf("ffmpeg cannot make the clip (%s): install an ffmpeg with libx264", text.line()), Err: err}
	}
	return nil
}

// show publishes, lets the second watch, takes the instance's seed away and lets the third watch.
func (d *demo) show(ctx context.Context) error {
	i := d.app.Instance()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-i.Ready():
	}
	d.stage("publish", "A throw-away instance at %s publishes it ...", i.URL())
	var err error
	if d.pub, err = d.app.Publish(ctx, instance.PublishRequest{File: d.clip, Title: "Shoal demo"}, nil); err != nil {
		return err
	}
	local, ok := i.Local(d.pub.UUID)
	if !ok || local.Swarm == nil {
		return errors.New("the instance does not seed the clip it published")
	}
	if d.sum, err = fileSum(local.Path); err != nil {
		return err
	}
	d.r.out.fact("  %s, %s", d.pub.WatchPage, human(d.pub.Bytes))

	second := newDemoPeer(d, "second", "--play", "--keep-seeding", "2m")
	defer second.stop()
	d.stage("second", "A second peer watches it: WebRTC alone, WebSeed off ...")
	got, err := second.watch(ctx)
	if err != nil {
		return err
	}
	d.tell(got)
	given := local.Swarm.Stats().Uploaded
	local.Swarm.Pause()
	d.stage("third", "The instance's seed is gone, it only tracks. A third peer watches ...")
	third := newDemoPeer(d, "third")
	defer third.stop()
	more, err := third.watch(ctx)
	if err != nil {
		return err
	}
	d.tell(more)
	shared := second.stop()
	return d.conclude(local.Swarm, given, []demoViewer{
		d.viewer("second", "instance", got, shared), d.viewer("third", "second", more, third.stop()),
	})
}

func (d *demo) tell(e doneEvent) {
	played := ""
	if e.PlayedMs != nil && *e.PlayedMs > 0 {
		played = fmt.Sprintf("; it had played %.1f s when the last byte came", float64(*e.PlayedMs)/1000)
	}
	d.r.out.fact("  has it all: %s over WebRTC, first megabyte after %d ms%s", human(e.BySource.WebRTC), e.FirstMegabyteMs, played)
}

func (d *demo) viewer(name, from string, e doneEvent, uploaded peer.Bytes) demoViewer {
	return demoViewer{Name: name, From: from, BySource: e.BySource, Equal: e.Complete && e.SHA256 == d.sum, Uploaded: uploaded, PlayedMs: e.PlayedMs}
}

// conclude says who gave what to whom, and fails unless that is as it should be.
func (d *demo) conclude(seed *peer.Swarm, given peer.Bytes, viewers []demoViewer) error {
	after := seed.Stats().Uploaded
	d.r.out.event(demoEvent{
		Event: "demo", Infohash: d.pub.Infohash, Bytes: d.pub.Bytes, SHA256: d.sum, Instance: demoGiver{Uploaded: after}, Viewers: viewers,
	})
	second, third := viewers[0], viewers[1]
	d.r.out.fact("Who gave what to whom:")
	d.r.out.fact("  instance -> second  %s over WebRTC", human(second.BySource.WebRTC))
	d.r.out.fact("  instance -> third   %s", human(after.Sum()-max(given.Sum(), second.BySource.Sum())))
	d.r.out.fact("  second   -> third   %s over WebRTC", human(third.BySource.WebRTC))
	for _, v := range viewers {
		if !v.Equal {
			return fmt.Errorf("the file that the %s peer got is not the published one", v.Name)
		}
		if v.BySource.Sum() != v.BySource.WebRTC || v.BySource.WebRTC < d.pub.Bytes {
			return fmt.Errorf("the %s peer got bytes by another way than WebRTC: %+v", v.Name, v.BySource)
		}
	}
	d.r.out.fact("All three files are equal (sha256 %s).", d.sum)
	return nil
}

func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("opening the clip: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("reading the clip: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
