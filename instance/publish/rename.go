// SPDX-License-Identifier: AGPL-3.0-or-later

package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/anacrolix/torrent/metainfo"

	"shoal/instance/store"
)

// maxTorrent bounds a .torrent file in bytes.
const maxTorrent = 16 << 20

// ReadTorrent reads a .torrent of this instance.
func ReadTorrent(dir, name string) (*metainfo.MetaInfo, error) {
	f, err := os.Open(filepath.Join(dir, TorrentDir, name))
	if err != nil {
		return nil, fmt.Errorf("opening the torrent: %w", err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("opening the torrent: %w", err)
	}
	if fi.Size() > maxTorrent {
		return nil, fmt.Errorf("reading the torrent %s: it has %d bytes, more than any torrent of ours", name, fi.Size())
	}
	b := make([]byte, fi.Size())
	if _, err := f.ReadAt(b, 0); err != nil {
		return nil, fmt.Errorf("reading the torrent: %w", err)
	}
	mi, err := metainfo.Load(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("reading the torrent %s: %w", name, err)
	}
	return mi, nil
}

// Rename gives a video another title. The title is part of the torrents, so the files get new
// torrents from the pieces known already; the ones before stay on disk and known.
func (p *Publisher) Rename(ctx context.Context, v *store.Video, title string) error {
	req := Request{Title: title}
	if _, err := p.check(&req); err != nil {
		return err
	}
	var made []string
	var torrents []store.Torrent
	err := func() error {
		for i := range v.Files {
			if err := ctx.Err(); err != nil {
				return err
			}
			t, err := p.retitle(v, &v.Files[i], req.Title)
			if err != nil {
				return err
			}
			torrents = append(torrents, t)
			if t != v.Files[i].Torrent {
				made = append(made, filepath.Join(p.cfg.Dir, TorrentDir, t.File))
			}
		}
		return p.cfg.Store.Rename(v.ID, req.Title, torrents, now())
	}()
	if err != nil {
		for _, path := range made {
			err = errors.Join(err, removed(path))
		}
	}
	return err
}

// retitle writes one file's torrent under a title, or finds the one it had under it before.
func (p *Publisher) retitle(v *store.Video, f *store.File, title string) (store.Torrent, error) {
	mi, err := ReadTorrent(p.cfg.Dir, f.Torrent.File)
	if err != nil {
		return store.Torrent{}, err
	}
	info, err := mi.UnmarshalInfo()
	if err != nil {
		return store.Torrent{}, fmt.Errorf("reading the torrent %s: %w", f.Torrent.File, err)
	}
	raw, infohash, err := Info(InfoName(title, f.Resolution, filepath.Ext(f.Name)), f.Size, info.PieceLength, info.Pieces)
	if err != nil {
		return store.Torrent{}, err
	}
	for _, t := range f.Torrents() {
		if t.Infohash == infohash {
			return t, nil
		}
	}
	b, err := Torrent(p.cfg.Base, raw, f.Name, v.Created)
	if err != nil {
		return store.Torrent{}, err
	}
	t := store.Torrent{Infohash: infohash, File: torrentName(f.Resolution)}
	return t, writeFile(filepath.Join(p.cfg.Dir, TorrentDir, t.File), b)
}
