// SPDX-License-Identifier: AGPL-3.0-or-later

package publish

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"shoal/instance/address"
	"shoal/instance/store"
)

// The data directory's folders for what is published.
const (
	MediaDir     = "media"
	TorrentDir   = "torrents"
	ThumbnailDir = "thumbnails"
	PreviewDir   = "previews"
)

// partial ends the names of files that are not finished.
const partial = ".part"

// Bounds of what a person writes, as PeerTube has them.
const (
	minTitle, maxTitle = 3, 120
	maxDescription     = 10_000
	maxTags            = 5
	minTag, maxTag     = 2, 30
)

// The stages of a publication, as the command line names them.
const (
	StageProbe   = "probe"
	StageCopy    = "copy"
	StageHash    = "hash"
	StagePublish = "publish"
)

// Config is what a Publisher needs.
type Config struct {
	// Dir is the data directory.
	Dir   string
	Base  address.Base
	Store *store.Store
	// FFmpeg and FFprobe are the programs; empty looks them up.
	FFmpeg, FFprobe string
	Logger          *slog.Logger
}

// Request is what to publish.
type Request struct {
	File, Title, Channel, Description string
	Tags                              []string
	Privacy                           store.Privacy
	// Gate pauses the publication; nil is always open.
	Gate *Gate
}

// Progress is called with a stage and how much of it is done. It is never nil inside the package.
type Progress func(stage string, done, total int64)

// Publisher publishes one file at a time; further ones wait, those that are paused too.
type Publisher struct {
	cfg  Config
	turn chan struct{}
}

// New makes the folders that are missing and deletes what publications left that did not end.
func New(cfg Config) (*Publisher, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	p := &Publisher{cfg: cfg, turn: make(chan struct{}, 1)}
	for _, dir := range []string{MediaDir, TorrentDir, ThumbnailDir, PreviewDir} {
		if err := os.MkdirAll(filepath.Join(cfg.Dir, dir), 0o755); err != nil { //nolint:gosec // it is served to anyone
			return nil, fmt.Errorf("making the folder %s: %w", dir, err)
		}
	}
	return p, p.clean()
}

// clean deletes the files of drafts.
func (p *Publisher) clean() error {
	drafts, err := p.cfg.Store.Drafts()
	if err != nil {
		return err
	}
	for _, d := range drafts {
		p.cfg.Logger.Warn("deleting what is left of a publication", "uuid", d.UUID, "started", d.Started)
		if err := p.drop(d); err != nil {
			return err
		}
	}
	return nil
}

func (p *Publisher) drop(d store.Draft) error {
	var errs []error
	for _, rel := range d.Paths {
		if !filepath.IsLocal(rel) {
			continue
		}
		path := filepath.Join(p.cfg.Dir, rel)
		errs = append(errs, removed(path), removed(path+partial))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return p.cfg.Store.DeleteDraft(d.UUID)
}

// Publish takes a file in. When it returns without an error the video is stored and its files are
// in place; otherwise nothing of it is left. Its errors are sentences for a person.
func (p *Publisher) Publish(ctx context.Context, req Request, progress Progress) (*store.Video, error) {
	if progress == nil {
		progress = func(string, int64, int64) {}
	}
	channel, err := p.check(&req)
	if err != nil {
		return nil, err
	}
	if req.Gate == nil {
		req.Gate = &Gate{}
	}
	t := turn{slot: p.turn, gate: req.Gate}
	defer t.end()
	if err := t.wait(ctx); err != nil {
		return nil, err
	}
	progress(StageProbe, 0, 1)
	path, err := source(req.File)
	if err != nil {
		return nil, err
	}
	ffmpeg, ffprobe, err := p.tools()
	if err != nil {
		return nil, err
	}
	m, err := Probe(ctx, ffprobe, path)
	if err != nil {
		return nil, err
	}
	progress(StageProbe, 1, 1)
	fi, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("opening the video: %w", err)
	}
	j := newJob(p, req, channel, path, m)
	j.hold = t.wait
	j.draft.Source = &store.Source{Path: path, Size: fi.Size(), ModTime: fi.ModTime()}
	if err := p.cfg.Store.PutDraft(j.draft); err != nil {
		return nil, err
	}
	v, err := j.run(ctx, ffmpeg, progress)
	if err != nil {
		return nil, errors.Join(err, p.drop(j.draft))
	}
	return v, nil
}

// CheckText bounds what a person wrote about a video. Its errors are sentences for a person.
func CheckText(title, description string, tags []string) error {
	switch n := utf8.RuneCountInString(title); {
	case !utf8.ValidString(title+description) || strings.ContainsAny(title, "\r\n\x00"):
		return errors.New("the title or the description is no plain text: write it anew")
	case n < minTitle || n > maxTitle:
		return fmt.Errorf("the title has %d characters: give it %d to %d", n, minTitle, maxTitle)
	case utf8.RuneCountInString(description) > maxDescription:
		return fmt.Errorf("the description is longer than %d characters: shorten it", maxDescription)
	case len(tags) > maxTags:
		return fmt.Errorf("there are %d tags: give at most %d", len(tags), maxTags)
	}
	for _, tag := range tags {
		if n := utf8.RuneCountInString(tag); n < minTag || n > maxTag || !utf8.ValidString(tag) {
			return fmt.Errorf("the tag %q has %d characters: give it %d to %d", tag, n, minTag, maxTag)
		}
	}
	return nil
}

func (p *Publisher) tools() (ffmpeg, ffprobe string, err error) {
	if ffprobe, err = find(p.cfg.FFprobe, "ffprobe"); err != nil {
		return "", "", err
	}
	ffmpeg, err = find(p.cfg.FFmpeg, "ffmpeg")
	return ffmpeg, ffprobe, err
}

// Ready says what keeps every file from being published in a channel, "" for the usual one.
func (p *Publisher) Ready(channel string) error {
	if _, err := p.channel(channel); err != nil {
		return err
	}
	_, _, err := p.tools()
	return err
}

// Is reports whether a file has an extension of those that can be published.
func Is(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".mp4", ".m4v", ".mov", ".webm":
		return true
	}
	return false
}

// check bounds what a person wrote and finds the channel.
func (p *Publisher) check(req *Request) (*store.Channel, error) {
	req.Title = strings.TrimSpace(req.Title)
	if err := CheckText(req.Title, req.Description, req.Tags); err != nil {
		return nil, err
	}
	if req.Privacy == 0 {
		req.Privacy = store.Public
	}
	return p.channel(req.Channel)
}

func (p *Publisher) channel(name string) (*store.Channel, error) {
	if name == "" {
		name = store.NameChannel
	}
	c, ok := p.cfg.Store.Snapshot().Channel(name)
	if !ok {
		return nil, fmt.Errorf("there is no channel %q here: choose one of %s", name, strings.Join(p.cfg.Store.Snapshot().ChannelNames(), ", "))
	}
	return c, nil
}

// Titled is a title after a file's name.
func Titled(path string) string {
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	title := strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if r == '_' || r == utf8.RuneError || unicode.IsControl(r) {
			return ' '
		}
		return r
	}, name)), " ")
	if utf8.RuneCountInString(title) < minTitle {
		title = strings.TrimSpace("Video " + title)
	}
	if runes := []rune(title); len(runes) > maxTitle {
		title = strings.TrimSpace(string(runes[:maxTitle]))
	}
	return title
}

// Leftovers are the files of a video, as a draft: stored in the transaction that deletes the video, it
// has them deleted by Remove, or with the next start where that did not come to its end.
func Leftovers(v *store.Video, now time.Time) store.Draft {
	d := store.Draft{UUID: v.UUID, Started: now}
	add := func(dir, name string) {
		if name != "" { // never the folder itself
			d.Paths = append(d.Paths, filepath.Join(dir, name))
		}
	}
	add(ThumbnailDir, v.Thumbnail)
	add(PreviewDir, v.Preview)
	for i := range v.Files {
		add(MediaDir, v.Files[i].Name)
		for _, t := range v.Files[i].Torrents() {
			add(TorrentDir, t.File)
		}
	}
	return d
}

// Remove deletes the files of a video that is deleted already, and its draft. A file that is gone is no
// error.
func (p *Publisher) Remove(v *store.Video) error { return p.drop(Leftovers(v, now())) }

// source finds the file that a name leads to and refuses what cannot be a video.
func source(file string) (string, error) {
	name := filepath.Base(file)
	path, err := filepath.Abs(file)
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("there is no file %s: check its name: %w", file, err)
	}
	if err != nil {
		return "", fmt.Errorf("finding %s: %w", name, err)
	}
	fi, err := os.Stat(path)
	switch {
	case err != nil:
		return "", fmt.Errorf("finding %s: %w", name, err)
	case !fi.Mode().IsRegular():
		return "", fmt.Errorf("%s is no file: choose a video file", name)
	case fi.Size() == 0:
		return "", fmt.Errorf("%s is empty: choose a video file", name)
	}
	f, err := open(path)
	if err != nil {
		return "", fmt.Errorf("%s cannot be read: check its permissions: %w", name, err)
	}
	return path, f.Close()
}

// open opens a video to read it. What is no regular file (any more) is refused: a FIFO would wait for its
// writer.
func open(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) //nolint:gosec // the person named it, or it is in the data directory
	if err != nil {
		return nil, fmt.Errorf("opening the video: %w", err)
	}
	fi, err := f.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = fmt.Errorf("%s is no file any more", filepath.Base(path))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the video: %w", err), f.Close())
	}
	return f, nil
}

// newUUID is a version 4 UUID in lower case, the one form that PeerTube takes.
func newUUID() string { return uuid.NewString() }

func now() time.Time { return time.Now().UTC() }
