// SPDX-License-Identifier: AGPL-3.0-or-later

package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"shoal/instance/store"
)

// job is one publication under way.
type job struct {
	p       *Publisher
	req     Request
	channel *store.Channel
	source  string
	media   Media
	draft   store.Draft
	file    store.File
	video   store.Video
	// hold waits while the publication is paused.
	hold func(context.Context) error
}

// newJob names everything that will be made, so that a draft can name it before.
func newJob(p *Publisher, req Request, channel *store.Channel, source string, m Media) *job {
	res := m.Resolution()
	j := &job{p: p, req: req, channel: channel, source: source, media: m}
	j.file = store.File{
		Name: fmt.Sprintf("%s-%d%s", newUUID(), res, m.Ext), Resolution: res, Width: m.Width, Height: m.Height, FPS: m.FPS,
		VideoCodec: m.VideoCodec, AudioCodec: m.AudioCodec, MediaType: m.MediaType,
	}
	j.file.Torrent.File = torrentName(res)
	j.video = store.Video{
		UUID: newUUID(), ChannelID: channel.ID, Title: req.Title, Description: req.Description, Tags: req.Tags, Privacy: req.Privacy,
		Duration: m.Duration, Thumbnail: newUUID() + ".jpg", Preview: newUUID() + ".jpg", Created: now(),
	}
	j.draft = store.Draft{UUID: j.video.UUID, Started: j.video.Created, Paths: []string{
		filepath.Join(MediaDir, j.file.Name), filepath.Join(TorrentDir, j.file.Torrent.File),
		filepath.Join(ThumbnailDir, j.video.Thumbnail), filepath.Join(PreviewDir, j.video.Preview),
	}}
	return j
}

func torrentName(res int) string { return fmt.Sprintf("%s-%d.torrent", newUUID(), res) }

func (j *job) path(dir, name string) string { return filepath.Join(j.p.cfg.Dir, dir, name) }

func (j *job) run(ctx context.Context, ffmpeg string, progress Progress) (*store.Video, error) {
	if err := j.images(ctx, ffmpeg); err != nil {
		return nil, err
	}
	pieces, err := j.take(ctx, progress)
	if err != nil {
		return nil, err
	}
	if err := j.hold(ctx); err != nil {
		return nil, err
	}
	progress(StagePublish, 0, 1)
	if err := j.torrent(pieces); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	j.video.Files = []store.File{j.file}
	j.video.Published = now()
	j.video.Updated = j.video.Published
	return j.p.cfg.Store.Publish(j.draft.UUID, j.video)
}

// images makes the pictures, from the file where it lies: one that has none is not worth a copy.
func (j *job) images(ctx context.Context, ffmpeg string) error {
	if err := j.hold(ctx); err != nil {
		return err
	}
	thumbnail, preview := j.path(ThumbnailDir, j.video.Thumbnail), j.path(PreviewDir, j.video.Preview)
	if err := images(ctx, ffmpeg, j.source, j.media, thumbnail+partial, preview+partial); err != nil {
		return err
	}
	return errors.Join(place(thumbnail+partial, thumbnail), place(preview+partial, preview))
}

// take brings the file into media/ and hashes it, and notes its size and time there, which tell later
// whether it changed. A file that has to be copied is hashed as it is copied.
func (j *job) take(ctx context.Context, progress Progress) ([]byte, error) {
	to := j.path(MediaDir, j.file.Name)
	var sums []byte
	var err error
	if share(j.source, to+partial) {
		sums, err = j.hash(ctx, to+partial, "", progress)
	} else {
		sums, err = j.hash(ctx, j.source, to+partial, progress)
	}
	if err != nil {
		return nil, err
	}
	if err := place(to+partial, to); err != nil {
		return nil, err
	}
	fi, err := os.Stat(to)
	if err != nil {
		return nil, fmt.Errorf("opening the video: %w", err)
	}
	j.file.Size, j.file.ModTime = fi.Size(), fi.ModTime()
	return sums, nil
}

// hash hashes the file at path and, where to is not empty, copies it there in the same pass.
func (j *job) hash(ctx context.Context, path, to string, progress Progress) ([]byte, error) {
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	before, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("opening the video: %w", err)
	}
	size, stage := before.Size(), StageHash
	progress(StageCopy, 0, size)
	var sums []byte
	all := func(r io.ReaderAt) (err error) {
		sums, err = pieces(ctx, r, size, PieceLength(size), func(done int64) { progress(stage, done, size) }, j.hold)
		return err
	}
	if to == "" {
		progress(StageCopy, size, size)
		progress(StageHash, 0, size)
		err = all(f)
	} else {
		stage = StageCopy
		err = copyAs(f, to, all)
	}
	if err != nil {
		return nil, err
	}
	progress(StageHash, size, size)
	after, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("opening the video: %w", err)
	}
	if !Unchanged(after, size, before.ModTime()) {
		return nil, errors.New("the video changed while it was read: publish it again when it is finished")
	}
	return sums, nil
}

func (j *job) torrent(pieces []byte) error {
	name := InfoName(j.video.Title, j.file.Resolution, j.media.Ext)
	info, infohash, err := Info(name, j.file.Size, PieceLength(j.file.Size), pieces)
	if err != nil {
		return err
	}
	j.file.Infohash = infohash
	b, err := Torrent(j.p.cfg.Base, info, j.file.Name, j.video.Created)
	if err != nil {
		return err
	}
	return writeFile(j.path(TorrentDir, j.file.Torrent.File), b)
}
