// SPDX-License-Identifier: AGPL-3.0-or-later

package publish

import (
	"context"
	"errors"
	"fmt"
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
	if err := j.take(ctx, progress); err != nil {
		return nil, err
	}
	if err := j.images(ctx, ffmpeg); err != nil {
		return nil, err
	}
	pieces, err := j.hash(ctx, progress)
	if err != nil {
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

// take brings the file into media/.
func (j *job) take(ctx context.Context, progress Progress) error {
	to := j.path(MediaDir, j.file.Name)
	fi, err := os.Stat(j.source)
	if err != nil {
		return fmt.Errorf("opening the video: %w", err)
	}
	progress(StageCopy, 0, fi.Size())
	err = take(ctx, j.source, to+partial, func(done, total int64) { progress(StageCopy, done, total) })
	if err != nil {
		return err
	}
	if err := place(to+partial, to); err != nil {
		return err
	}
	progress(StageCopy, fi.Size(), fi.Size())
	return nil
}

func (j *job) images(ctx context.Context, ffmpeg string) error {
	thumbnail, preview := j.path(ThumbnailDir, j.video.Thumbnail), j.path(PreviewDir, j.video.Preview)
	if err := images(ctx, ffmpeg, j.path(MediaDir, j.file.Name), j.media, thumbnail+partial, preview+partial); err != nil {
		return err
	}
	return errors.Join(place(thumbnail+partial, thumbnail), place(preview+partial, preview))
}

// hash hashes the file in media/ and notes its size and time, which tell later whether it changed.
func (j *job) hash(ctx context.Context, progress Progress) ([]byte, error) {
	f, err := os.Open(j.path(MediaDir, j.file.Name))
	if err != nil {
		return nil, fmt.Errorf("opening the video: %w", err)
	}
	defer f.Close()
	before, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("opening the video: %w", err)
	}
	size := before.Size()
	progress(StageHash, 0, size)
	pieces, err := Pieces(ctx, f, size, PieceLength(size), func(done int64) { progress(StageHash, done, size) })
	if err != nil {
		return nil, err
	}
	after, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("opening the video: %w", err)
	}
	if !Unchanged(after, size, before.ModTime()) {
		return nil, errors.New("the video changed while it was read: publish it again when it is finished")
	}
	j.file.Size, j.file.ModTime = size, before.ModTime()
	return pieces, nil
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
