// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"shoal/peer"
	"shoal/peer/peertube"
	"shoal/player"
)

// Session is one video being watched.
type Session struct {
	Title string
	// Page is the watch page, "" for a magnet or a file.
	Page string
	// Video is what the instance says; nil for a magnet or a file.
	Video *peertube.VideoDetails
	// Renditions are the qualities to choose from, best first; Rendition is the index of the one
	// that plays, -1 where there is no choice.
	Renditions []peertube.Rendition
	Rendition  int
	// Main is the swarm of the picture (with its sound unless Audio is set); nil for a local file.
	Main     *peer.Swarm
	MainFile int
	// Audio is the swarm of the sound where that lies in another file; nil otherwise.
	Audio     *peer.Swarm
	AudioFile int
	// Path is the local file that plays, "" for a swarm.
	Path string

	app     *App
	joined  []*peer.Swarm // those not held before
	claimed []string      // infohashes that are not deleted before Close
	watched bool          // by a person
	token   string        // of the loopback stream
}

// OpenVideo opens the picture's file. It is a player.Opener.
func (s *Session) OpenVideo(ctx context.Context) (player.Media, error) {
	if s.Path != "" {
		return openFile(s.Path)
	}
	return s.openStream(ctx, s.Main, s.MainFile)
}

// OpenAudio opens the separate sound. It is a player.Opener where HasAudio.
func (s *Session) OpenAudio(ctx context.Context) (player.Media, error) {
	if s.Audio == nil {
		return nil, errors.New("the sound is in the picture's file")
	}
	return s.openStream(ctx, s.Audio, s.AudioFile)
}

// HasAudio reports whether the sound lies in another file.
func (s *Session) HasAudio() bool { return s.Audio != nil }

// FilePath returns where the picture's file lies on disk, "" while that is unknown.
func (s *Session) FilePath() string {
	if s.Path != "" {
		return s.Path
	}
	return s.Main.FilePath(s.MainFile)
}

// Complete reports whether every byte is on disk.
func (s *Session) Complete() bool {
	return s.Path != "" || s.Main.Stats().Complete && (s.Audio == nil || s.Audio.Stats().Complete)
}

// Close ends watching. The swarms go on being seeded; where the settings say not to keep seeding,
// those that this session joined are paused. A swarm whose metadata never came is left.
func (s *Session) Close() error {
	s.app.loopback.remove(s.token)
	errs := []error{s.unwatch()}
	ctx, cancel := context.WithTimeout(context.Background(), leaveWait)
	defer cancel()
	for _, swarm := range s.joined {
		infohash := swarm.Infohash().HexString()
		_, err := s.app.watching.unless(ctx, infohash, func() error {
			select {
			case <-swarm.Ready():
				if s.app.options.Config.Get().KeepSeeding {
					return nil
				}
				return s.app.Pause(infohash)
			default:
				return swarm.Leave(ctx, true)
			}
		})
		errs = append(errs, err)
	}
	s.joined = nil
	return errors.Join(errs...)
}

// leaveWait bounds leaving a swarm.
const leaveWait = 5 * time.Second

func (s *Session) openStream(ctx context.Context, swarm *peer.Swarm, file int) (player.Media, error) {
	stream, err := swarm.Stream(ctx, file)
	if err != nil {
		return nil, err
	}
	if s.Video != nil && s.Video.Duration > 0 {
		stream.SetBitrate(float64(stream.Size()) / float64(s.Video.Duration))
	}
	return stream, nil
}

// fileMedia is a file on this machine as player.Media.
type fileMedia struct {
	*os.File
	size      int64
	cancelled atomic.Bool
}

func openFile(path string) (player.Media, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening video: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening video: %w", err), f.Close())
	}
	return &fileMedia{File: f, size: info.Size()}, nil
}

// Size returns the length in bytes.
func (m *fileMedia) Size() int64 { return m.size }

// Cancel lets further Reads fail; one in progress does not wait for long.
func (m *fileMedia) Cancel() { m.cancelled.Store(true) }

// Read reads the next bytes.
func (m *fileMedia) Read(p []byte) (int, error) {
	if m.cancelled.Load() {
		return 0, os.ErrClosed
	}
	return m.File.Read(p)
}
