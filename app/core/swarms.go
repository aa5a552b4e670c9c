// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/anacrolix/torrent/metainfo"

	"shoal/instance"
	"shoal/peer"
	"shoal/peer/library"
)

// SwarmInfo is one swarm held: live figures, and what the library knows. Uploaded and Downloaded
// count all runs of the program.
type SwarmInfo struct {
	peer.Stats
	Dir    string    `json:"dir,omitempty"`    // the folder its files lie in
	Path   string    `json:"path,omitempty"`   // its first file, "" while unknown
	Page   string    `json:"page,omitempty"`   // the watch page, "" for a magnet
	Magnet string    `json:"magnet,omitempty"` // what joins it elsewhere
	Added  time.Time `json:"added,omitzero"`   // when it was joined first
	Own    bool      `json:"own,omitempty"`    // a video of this process's own instance
	Joined bool      `json:"joined"`           // whether the engine takes part now
	// Tracked is who the own instance's tracker knows in the swarm; nil of what is not Own.
	Tracked *instance.TrackerStats `json:"tracked,omitempty"`

	Pinned      bool             `json:"pinned"`               // never deleted for room, never stopped by a limit
	SupportedBy string           `json:"supportedBy"`          // ID of the Support that it is held for, "" for none
	Keep        library.Standing `json:"keep"`                 // why it stays, or when it goes
	Stopped     library.Stop     `json:"stopped,omitempty"`    // which limit paused it; "" where a person did
	LastWatched time.Time        `json:"lastWatched,omitzero"` // zero: never
	LastUpload  time.Time        `json:"lastUpload,omitzero"`  // when somebody last fetched from it
	SeededFor   time.Duration    `json:"-"`                    // how long it was whole and given to whoever asked

	inPlace bool // its file is somebody else's, seeded where it lies
}

// Swarms lists every swarm held, oldest first, the own instance's videos after the others. It takes
// no engine lock and may be called twice a second.
func (a *App) Swarms() []SwarmInfo {
	entries := a.keeper.all()
	var list []SwarmInfo
	for _, swarm := range a.engine.Swarms() {
		infohash := swarm.Infohash().HexString()
		info := SwarmInfo{Stats: swarm.Stats(), Dir: swarm.Dir(), Path: swarm.FilePath(0), Joined: true}
		info.Infohash = infohash
		e, known := entries[infohash]
		if known {
			fillFrom(&info, e)
			delete(entries, infohash)
		} else {
			a.fillOwn(&info)
			info.Magnet = swarm.Target().Magnet()
		}
		list = append(list, info)
	}
	for _, e := range entries {
		list = append(list, notJoined(e))
	}
	sortSwarms(list)
	a.stand(list)
	return list
}

// fillOwn fills in what the instance knows of a video of its own.
func (a *App) fillOwn(info *SwarmInfo) {
	if a.instance == nil {
		return
	}
	local, ok := a.instance.Local(info.Infohash)
	if !ok {
		return
	}
	info.Tracked = &local.Tracked
	info.Own, info.Page = true, a.instance.URL()+"/w/"+local.ShortUUID
	if local.Title != "" {
		info.Name = local.Title
	}
}

func sortSwarms(list []SwarmInfo) {
	slices.SortStableFunc(list, func(x, y SwarmInfo) int {
		if x.Own != y.Own {
			if x.Own {
				return 1
			}
			return -1
		}
		return cmp.Or(x.Added.Compare(y.Added), cmp.Compare(x.Infohash, y.Infohash))
	})
}

func fillFrom(info *SwarmInfo, e library.Entry) {
	if e.Name != "" {
		info.Name = e.Name
	}
	info.Page, info.Added, info.Magnet = e.Page, e.Added, e.Magnet
	info.Pinned, info.SupportedBy, info.Stopped = e.Pinned, e.Support, e.Stopped
	info.LastWatched, info.LastUpload = e.LastWatched, e.LastUpload
	info.inPlace = e.Path != ""
	info.SeededFor = time.Duration(e.SeededFor) * time.Second
}

// notJoined is an entry that the engine does not take part in.
func notJoined(e library.Entry) SwarmInfo {
	info := SwarmInfo{Dir: e.Dir, Path: e.Path}
	info.Stats = peer.Stats{
		Infohash: e.Infohash, Name: e.Name, Bytes: e.Bytes, Complete: e.Complete, Paused: e.Paused,
		Uploaded: e.Uploaded, Downloaded: e.Downloaded, Seeders: -1, Leechers: -1,
	}
	if e.Complete {
		info.Completed = e.Bytes
	}
	fillFrom(&info, e)
	return info
}

// find returns a swarm by its infohash.
func (a *App) find(infohash string) (*peer.Swarm, error) {
	raw, err := hex.DecodeString(infohash)
	if err != nil || len(raw) != metainfo.HashSize {
		return nil, fail(CodeBadInput, err, "%q is no infohash: it has 40 hexadecimal digits", infohash)
	}
	swarm, ok := a.engine.Swarm(metainfo.Hash(raw))
	if !ok {
		return nil, fail(CodeNotFound, nil, "no swarm %s is held: look at the list of swarms", infohash)
	}
	return swarm, nil
}

// Pause drops a swarm's connections until ResumeSwarm; the library remembers it.
func (a *App) Pause(infohash string) error {
	swarm, err := a.find(infohash)
	if err != nil {
		return err
	}
	swarm.Pause()
	return a.keeper.change(infohash, func(e *library.Entry) { e.Paused, e.Stopped = true, library.StopNone })
}

// ResumeSwarm takes a paused swarm up again. What a limit had stopped goes on until it comes to one
// anew, counted from here.
func (a *App) ResumeSwarm(infohash string) error {
	swarm, err := a.find(infohash)
	if err != nil {
		if _, known := a.keeper.entry(infohash); known {
			return a.rejoin(infohash)
		}
		return err
	}
	swarm.Resume()
	return a.keeper.change(infohash, resumed)
}

func resumed(e *library.Entry) { *e = e.Resumed() }

// rejoin joins the swarm of an entry that the engine does not take part in.
func (a *App) rejoin(infohash string) error {
	e, err := a.library.Get(infohash)
	if err != nil {
		return fmt.Errorf("reading held swarm: %w", err)
	}
	e = e.Resumed()
	ctx, cancel := context.WithTimeout(context.Background(), leaveWait)
	defer cancel()
	if _, err := e.Join(ctx, a.engine); err != nil {
		return err
	}
	return a.keeper.change(infohash, resumed)
}

// Remove leaves a swarm and forgets it. deleteFiles deletes what was fetched, never a file seeded
// in place. One that is held for a support is not fetched for it again. An own instance's video is refused.
func (a *App) Remove(ctx context.Context, infohash string, deleteFiles bool) error {
	if _, own := a.ownSwarm(infohash); own {
		return fail(CodeBadInput, nil, "this is a video of your own instance: delete it there")
	}
	e, known := a.keeper.entry(infohash)
	if _, err := a.find(infohash); err != nil && !known {
		return err
	}
	if err := a.leave(ctx, infohash, deleteFiles); err != nil {
		return err
	}
	return a.refuse(e)
}

// joined returns a swarm that the engine takes part in.
func (a *App) joined(infohash string) (*peer.Swarm, bool) {
	if a.engine == nil {
		return nil, false
	}
	return a.engine.Swarm(metainfo.NewHashFromHex(infohash))
}

// encodeTorrent writes a .torrent file (BEP 3).
func encodeTorrent(mi *metainfo.MetaInfo) ([]byte, error) {
	var buf bytes.Buffer
	if err := mi.Write(&buf); err != nil {
		return nil, fmt.Errorf("writing torrent: %w", err)
	}
	return buf.Bytes(), nil
}
