// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"context"
	"os"
	"path/filepath"

	"shoal/instance/address"
	"shoal/instance/publish"
	"shoal/instance/rest"
	"shoal/instance/store"
	"shoal/instance/thumbs"
	"shoal/instance/webseed"
)

const torrentType = "application/x-bittorrent"

// files serves what is published and not private, by the names in the store.
func (i *Instance) files() *webseed.Handler {
	maxPerIP := 0 // the handler's own bound
	if i.cfg.Dev {
		maxPerIP = -1 // everyone is on this machine
	}
	return webseed.New(webseed.Config{
		UploadLimit: i.cfg.UploadLimit, UploadLimitPerIP: i.cfg.UploadLimitPerIP, ClientIP: i.clientIP, MaxPerIP: maxPerIP,
		Media: i.mediaFile, DownloadMedia: i.mediaDownload,
		Torrent:         func(name string) (webseed.File, bool) { return i.torrentFile(name, false) },
		DownloadTorrent: func(name string) (webseed.File, bool) { return i.torrentFile(name, true) },
		Thumbnail:       i.imageFile(publish.ThumbnailDir, thumbs.Thumbnail, func(v *store.Video) string { return v.Thumbnail }),
		Preview:         i.imageFile(publish.PreviewDir, thumbs.Preview, func(v *store.Video) string { return v.Preview }),
		NotFound:        rest.NotFound, Logger: i.cfg.Logger,
	})
}

// SetUploadLimits bounds what is sent of files, in bytes per second, 0 for no bound: to all together,
// and to each address. It holds for what is on its way too.
func (i *Instance) SetUploadLimits(total, perIP int64) { i.webseed.SetLimits(total, perIP) }

// fetchPicture gets a picture of another instance.
func (i *Instance) fetchPicture(ctx context.Context, url string, maxBytes int64) ([]byte, error) {
	b, _, err := i.fed.Fetch().Bytes(ctx, url, "image/*", maxBytes)
	return b, err
}

func (i *Instance) path(dir, name string) string { return filepath.Join(i.cfg.Dir, dir, name) }

func (i *Instance) mediaFile(name string) (webseed.File, bool) {
	ref, ok := i.store.Snapshot().ByMedia(name)
	if !ok || !ref.Video.Served() {
		return webseed.File{}, false
	}
	return webseed.File{Path: i.path(publish.MediaDir, ref.File.Name), MediaType: ref.File.MediaType, Intact: i.intact(ref.File)}, true
}

// mediaDownload finds "{uuid}-{resolution}.mp4".
func (i *Instance) mediaDownload(name string) (webseed.File, bool) {
	const uuidLen = 36
	if len(name) <= uuidLen {
		return webseed.File{}, false
	}
	v, ok := i.store.Snapshot().VideoByUUID(name[:uuidLen])
	if !ok || !v.Served() {
		return webseed.File{}, false
	}
	for n := range v.Files {
		f := &v.Files[n]
		if address.DownloadName(v.UUID, f) == name {
			return webseed.File{
				Path: i.path(publish.MediaDir, f.Name), MediaType: f.MediaType,
				SaveAs: publish.InfoName(v.Title, f.Resolution, filepath.Ext(f.Name)), Intact: i.intact(f),
			}, true
		}
	}
	return webseed.File{}, false
}

// intact reports whether a media file is as it was published: by its size and time, or because the
// engine has hashed it since.
func (i *Instance) intact(f *store.File) func(os.FileInfo) bool {
	return func(fi os.FileInfo) bool {
		if publish.Unchanged(fi, f.Size, f.ModTime) {
			return true
		}
		swarm := i.seed.swarm(f.Torrent.Infohash)
		return swarm != nil && swarm.Verified(0, fi)
	}
}

func (i *Instance) torrentFile(name string, save bool) (webseed.File, bool) {
	ref, ok := i.store.Snapshot().ByTorrent(name)
	if !ok || !ref.Video.Served() {
		return webseed.File{}, false
	}
	f := webseed.File{Path: i.path(publish.TorrentDir, ref.Torrent.File), MediaType: torrentType}
	if save {
		f.SaveAs = publish.InfoName(ref.Video.Title, ref.File.Resolution, ".torrent")
	}
	return f, true
}

// imageFile finds pictures of local videos in dir, and those of remote ones at their origin.
func (i *Instance) imageFile(dir string, kind thumbs.Kind, name func(*store.Video) string) webseed.Find {
	return func(asked string) (webseed.File, bool) {
		v, ok := i.store.Snapshot().ByImage(asked)
		if !ok {
			path, mediaType, ok := i.thumbs.Find(context.Background(), kind, asked)
			return webseed.File{Path: path, MediaType: mediaType}, ok
		}
		if !v.Served() || name(v) != asked {
			return webseed.File{}, false
		}
		return webseed.File{Path: i.path(dir, name(v)), MediaType: "image/jpeg"}, true
	}
}
