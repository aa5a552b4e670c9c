// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e

package player_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"shoal/player"
	"shoal/player/internal/playertest"
)

const limit = 30 * time.Second

func newPlayer(t *testing.T) *player.Player {
	t.Helper()
	p, err := player.New(player.Options{NullVideo: true, NullAudio: true, Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func load(t *testing.T, p *player.Player, video, audio player.Opener) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if err := p.Load(ctx, video, audio); err != nil {
		t.Fatal(err)
	}
}

func until(t *testing.T, p *player.Player, what string, done func(player.State) bool) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Logf("state: %+v", p.State())
		}
	}()
	playertest.Until(t, limit, what, func() bool { return done(p.State()) })
}

func after(d time.Duration) func(player.State) bool {
	return func(s player.State) bool { return s.Position >= d && !s.Buffering }
}

func TestPlaysSlowStreamToTheEnd(t *testing.T) {
	p := newPlayer(t)
	f := playertest.NewFile(playertest.Movie(t, "320x180", "2"))
	f.Chunk, f.BytesPerSecond = 8<<10, 4*len(f.Data)
	load(t, p, f.Opener(), nil)
	until(t, p, "playing", func(s player.State) bool {
		return s.Loaded && s.Playing && s.Position > 0 && s.Width == 320 && s.Height == 180 && s.FramesShown > 5
	})
	if d := p.State().Duration; d < 1900*time.Millisecond || d > 2200*time.Millisecond {
		t.Errorf("duration %v, want 2s", d)
	}
	until(t, p, "the end", func(s player.State) bool { return s.Ended && !s.Playing && !s.Buffering })
	if err := p.State().Err; err != nil {
		t.Error(err)
	}
	p.Play()
	until(t, p, "playing anew", func(s player.State) bool { return s.Playing && s.Position < time.Second && s.Position > 0 })
	p.Stop()
	until(t, p, "nothing loaded", func(s player.State) bool { return !s.Loaded })
	playertest.Until(t, limit, "media closed", func() bool { return f.Open() == 0 })
}

func TestPauseVolumeToggle(t *testing.T) {
	p := newPlayer(t)
	f := playertest.NewFile(playertest.Movie(t, "320x180", "20"))
	changed, stop := p.Watch()
	defer stop()
	load(t, p, f.Opener(), nil)
	until(t, p, "playing", after(200*time.Millisecond))
	p.Toggle()
	if s := p.State(); !s.Paused || s.Playing {
		t.Errorf("after Toggle: %+v", s)
	}
	p.SetVolume(140)
	p.SetMuted(true)
	if s := p.State(); s.Volume != 100 || !s.Muted {
		t.Errorf("volume %d, muted %v", s.Volume, s.Muted)
	}
	p.Seek(10*time.Second, true)
	until(t, p, "a seek while paused", func(s player.State) bool {
		return !s.Buffering && s.Position > 9900*time.Millisecond && s.Position < 10100*time.Millisecond
	})
	p.Toggle()
	until(t, p, "playing again", after(10300*time.Millisecond))
	select {
	case <-changed:
	case <-time.After(limit):
		t.Error("no signal")
	}
}

func TestSeekExactAndKeyframes(t *testing.T) {
	p := newPlayer(t)
	args := append(append(playertest.Inputs("320x180", "20"), playertest.Codecs()...), "-g", "150", "-keyint_min", "150", "-sc_threshold", "0")
	f := playertest.NewFile(playertest.Clip(t, "movie.mp4", args...))
	load(t, p, f.Opener(), nil)
	p.Pause()
	p.Seek(7*time.Second, false)
	if s := p.State(); !s.Buffering || s.Position != 7*time.Second {
		t.Errorf("right after Seek: %+v", s)
	}
	until(t, p, "a key frame's place", func(s player.State) bool {
		return !s.Buffering && s.Position.Round(100*time.Millisecond)%(5*time.Second) == 0 && s.Position > 0
	})
	p.Seek(7*time.Second, true)
	until(t, p, "the exact place", func(s player.State) bool {
		return !s.Buffering && s.Position > 6900*time.Millisecond && s.Position < 7100*time.Millisecond
	})
	for i := range 30 { // as a dragged slider does
		p.Seek(time.Duration(i)*500*time.Millisecond, false)
	}
	p.Seek(12*time.Second, true)
	until(t, p, "the last of many seeks", func(s player.State) bool {
		return !s.Buffering && s.Position > 11900*time.Millisecond && s.Position < 12100*time.Millisecond
	})
}

func TestSeekDuringLoadIsTheStart(t *testing.T) {
	p := newPlayer(t)
	f := playertest.NewFile(playertest.Movie(t, "320x180", "20"))
	f.Block(0, int64(len(f.Data)))
	failed := make(chan error, 1)
	go func() { failed <- p.Load(t.Context(), f.Opener(), nil) }()
	until(t, p, "loading", func(s player.State) bool { return s.Loading && s.Buffering })
	p.Seek(15*time.Second, true)
	f.Release()
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	until(t, p, "playing from there", after(15*time.Second))
}

func TestBufferingWhileBytesAreMissing(t *testing.T) {
	p := newPlayer(t)
	f := playertest.NewFile(playertest.Movie(t, "320x180", "30"))
	size := int64(len(f.Data))
	f.Block(size*2/10, size)
	load(t, p, f.Opener(), nil)
	until(t, p, "buffering", func(s player.State) bool { return s.Buffering && s.Position > 2*time.Second })
	if s := p.State(); s.Ended || !s.Playing || s.BufferPercent < 0 || s.BufferPercent > 100 {
		t.Errorf("%+v", s)
	}
	at := p.State().Position
	f.Release()
	until(t, p, "playing on", after(at+500*time.Millisecond))
}

// The seek's target is there while the Read before it waits for bytes that never come.
func TestSeekAwayFromBlockedRead(t *testing.T) {
	for _, name := range []string{"movie.mp4", "movie.mkv", "movie.webm", "movie.ts"} {
		t.Run(name, func(t *testing.T) {
			p := newPlayer(t)
			args := append(playertest.Inputs("320x180", "30"), playertest.Codecs()...)
			switch name {
			case "movie.webm":
				args = append(playertest.Inputs("160x90", "30"), "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-g", "30", "-c:a", "libopus")
			case "movie.mkv", "movie.ts":
				args = append(playertest.Inputs("320x180", "30"), "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "30", "-c:a", "aac")
			}
			f := playertest.NewFile(playertest.Clip(t, name, args...))
			size := int64(len(f.Data))
			f.Block(size*2/10, size*6/10)
			load(t, p, f.Opener(), nil)
			until(t, p, "buffering", func(s player.State) bool { return s.Buffering && f.Blocked() > 0 && s.Position > time.Second })
			p.Seek(24*time.Second, true)
			until(t, p, "playing behind the hole", func(s player.State) bool {
				return s.Position > 24200*time.Millisecond && s.Position < 30*time.Second && !s.Buffering && !s.Ended && s.Err == nil
			})
			p.Seek(10*time.Second, true) // into the hole
			until(t, p, "buffering in the hole", func(s player.State) bool { return s.Buffering && f.Blocked() > 0 })
			p.Seek(0, true)
			until(t, p, "playing from the start", func(s player.State) bool {
				return s.Position > 200*time.Millisecond && s.Position < 10*time.Second && !s.Buffering && !s.Ended && s.Err == nil
			})
		})
	}
}

// A seek into the bytes that are waited for is not taken for the end of the file.
func TestSeekIntoTheHoleKeepsWaiting(t *testing.T) {
	p := newPlayer(t)
	f := playertest.NewFile(playertest.Movie(t, "320x180", "30"))
	size := int64(len(f.Data))
	f.Block(size*2/10, size)
	load(t, p, f.Opener(), nil)
	until(t, p, "buffering", func(s player.State) bool { return s.Buffering && f.Blocked() > 0 && s.Position > time.Second })
	at := p.State().Position
	for _, ahead := range []time.Duration{50 * time.Millisecond, 200 * time.Millisecond, time.Second, 5 * time.Second} {
		reads := f.Opens()
		p.Seek(at+ahead, true)
		until(t, p, "buffering after the seek", func(s player.State) bool {
			if s.Ended {
				t.Fatal("taken for the end")
			}
			return s.Buffering && f.Blocked() > 0 && f.Opens() > reads
		})
	}
	f.Release()
	until(t, p, "playing on", after(at+6*time.Second))
}

func TestSeparateSound(t *testing.T) {
	p := newPlayer(t)
	video := playertest.NewFile(playertest.Clip(t, "v.mp4", append(append(playertest.Inputs("320x180", "20"), playertest.Codecs()...), "-an")...))
	audio := playertest.NewFile(playertest.Clip(t, "a.mp4", append(append(playertest.Inputs("320x180", "20"), playertest.Codecs()...), "-vn")...))
	load(t, p, video.Opener(), audio.Opener())
	until(t, p, "playing", after(300*time.Millisecond))
	if s := p.State(); s.AudioErr != nil || s.Err != nil {
		t.Errorf("%+v", s)
	}
	if audio.Open() != 1 {
		t.Error("sound is not read")
	}
	p.Seek(15*time.Second, true)
	until(t, p, "playing after a seek", after(15200*time.Millisecond))
	read := audio.BytesRead()
	if read == 0 {
		t.Error("no sound was read")
	}

	other := playertest.NewFile(playertest.Movie(t, "320x180", "5"))
	load(t, p, other.Opener(), nil)
	until(t, p, "the next video", after(200*time.Millisecond))
	playertest.Until(t, limit, "the first one's files closed", func() bool { return video.Open() == 0 && audio.Open() == 0 })
}

func TestSoundThatIsMissing(t *testing.T) {
	p := newPlayer(t)
	video := playertest.NewFile(playertest.Movie(t, "320x180", "20"))
	refuse := func(context.Context) (player.Media, error) { return nil, errors.New("no such file") }
	load(t, p, video.Opener(), refuse)
	until(t, p, "playing without sound", func(s player.State) bool { return s.AudioErr != nil && s.Position > 0 && s.Err == nil })
	garbage := playertest.NewFile(bytes.Repeat([]byte("garbage "), 50000))
	load(t, p, video.Opener(), garbage.Opener())
	until(t, p, "playing without that sound", func(s player.State) bool { return s.AudioErr != nil && s.Position > 0 && s.Err == nil })
	wantKind(t, p.State().AudioErr, player.KindNoSound)
}

func TestSoundAlonePlays(t *testing.T) {
	p := newPlayer(t)
	f := playertest.NewFile(playertest.Clip(t, "a.m4a", "-f", "lavfi", "-i", "sine=frequency=440:duration=5", "-c:a", "aac"))
	load(t, p, f.Opener(), nil)
	until(t, p, "playing", func(s player.State) bool { return s.Position > 200*time.Millisecond && s.Width == 0 && s.Err == nil })
}

func wantKind(t *testing.T, err error, kind player.Kind) {
	t.Helper()
	var e *player.Error
	if !errors.As(err, &e) || e.Kind != kind || !strings.HasSuffix(e.Text, ".") {
		t.Errorf("error %#v, want kind %s", err, kind)
	}
}

func TestBadFiles(t *testing.T) {
	movie := playertest.Movie(t, "320x180", "5")
	for name, c := range map[string]struct {
		data []byte
		kind player.Kind
	}{
		"garbage":   {bytes.Repeat([]byte("no video at all\x00\x01"), 100000), player.KindNotMedia},
		"empty":     {nil, player.KindNotMedia},
		"html":      {[]byte("<!doctype html><html><body>404</body></html>"), player.KindNotMedia},
		"truncated": {movie[:300], player.KindNothing},
		"playlist":  {[]byte("#EXTM3U\n#EXTINF:1,a\nhttp://127.0.0.1:1/a.mp4\n/etc/passwd\n"), player.KindNotMedia},
		"hls":       {[]byte("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\nhttp://127.0.0.1:1/a.ts\n#EXT-X-ENDLIST\n"), player.KindNotMedia},
		"edl":       {[]byte("# mpv EDL v0\n/etc/passwd\n"), player.KindNotMedia},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlayer(t)
			f := playertest.NewFile(c.data)
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			err := p.Load(ctx, f.Opener(), nil)
			wantKind(t, err, c.kind)
			wantKind(t, p.State().Err, c.kind)
			good := playertest.NewFile(movie)
			load(t, p, good.Opener(), nil)
			until(t, p, "the next file playing", func(s player.State) bool { return s.Position > 0 && s.Err == nil })
		})
	}
}

func TestStreamThatFails(t *testing.T) {
	p := newPlayer(t)
	cause := errors.New("no peers")
	err := p.Load(t.Context(), func(context.Context) (player.Media, error) { return nil, cause }, nil)
	wantKind(t, err, player.KindStream)
	if !errors.Is(err, cause) {
		t.Errorf("%v does not wrap the cause", err)
	}

	f := playertest.NewFile(playertest.Movie(t, "320x180", "20"))
	f.Fail(int64(len(f.Data)) * 2 / 10)
	load(t, p, f.Opener(), nil)
	until(t, p, "the failure in mid-play", func(s player.State) bool { return s.Err != nil && !s.Ended && !s.Playing })
	wantKind(t, p.State().Err, player.KindStream)
	at := p.State().Position
	f.Release()
	p.Play()
	until(t, p, "playing on", func(s player.State) bool { return s.Err == nil && s.Playing && s.Position > at+500*time.Millisecond })
}

func TestBytesThatNeverCome(t *testing.T) {
	movie := playertest.Movie(t, "320x180", "5")
	blocked := func() *playertest.File {
		f := playertest.NewFile(movie)
		f.Block(0, int64(len(movie)))
		return f
	}
	start := func(ctx context.Context, p *player.Player, open player.Opener) <-chan error {
		failed := make(chan error, 1)
		go func() { failed <- p.Load(ctx, open, nil) }()
		return failed
	}
	wait := func(t *testing.T, failed <-chan error) error {
		t.Helper()
		select {
		case err := <-failed:
			if err == nil {
				t.Error("Load says it loaded")
			}
			return err
		case <-time.After(limit):
			t.Fatal("Load hangs")
			return nil
		}
	}
	closed := func(t *testing.T, f *playertest.File) {
		t.Helper()
		playertest.Until(t, limit, "media closed", func() bool { return f.Open() == 0 })
	}
	t.Run("Stop", func(t *testing.T) {
		p, f := newPlayer(t), blocked()
		failed := start(t.Context(), p, f.Opener())
		playertest.Until(t, limit, "a blocked read", func() bool { return f.Blocked() > 0 })
		p.Stop()
		wantKind(t, wait(t, failed), player.KindSuperseded)
		closed(t, f)
	})
	t.Run("Close", func(t *testing.T) {
		p, f := newPlayer(t), blocked()
		failed := start(t.Context(), p, f.Opener())
		playertest.Until(t, limit, "a blocked read", func() bool { return f.Blocked() > 0 })
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		wait(t, failed)
		closed(t, f)
		if err := p.Load(t.Context(), f.Opener(), nil); !errors.Is(err, player.ErrClosed) {
			t.Errorf("Load after Close: %v", err)
		}
	})
	t.Run("context", func(t *testing.T) {
		p, f := newPlayer(t), blocked()
		ctx, cancel := context.WithCancel(t.Context())
		failed := start(ctx, p, f.Opener())
		playertest.Until(t, limit, "a blocked read", func() bool { return f.Blocked() > 0 })
		cancel()
		if err := wait(t, failed); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		closed(t, f)
	})
	t.Run("another Load", func(t *testing.T) {
		p, f := newPlayer(t), blocked()
		failed := start(t.Context(), p, f.Opener())
		playertest.Until(t, limit, "a blocked read", func() bool { return f.Blocked() > 0 })
		load(t, p, playertest.NewFile(movie).Opener(), nil)
		wantKind(t, wait(t, failed), player.KindSuperseded)
		until(t, p, "playing", after(100*time.Millisecond))
		closed(t, f)
	})
	t.Run("opener that waits", func(t *testing.T) {
		p := newPlayer(t)
		opening := make(chan struct{})
		failed := start(t.Context(), p, func(ctx context.Context) (player.Media, error) {
			close(opening)
			<-ctx.Done()
			return nil, ctx.Err()
		})
		<-opening
		p.Stop()
		wait(t, failed)
	})
	t.Run("playing", func(t *testing.T) {
		p := newPlayer(t)
		f := playertest.NewFile(movie)
		f.Block(int64(len(movie))/2, int64(len(movie)))
		load(t, p, f.Opener(), nil)
		playertest.Until(t, limit, "a blocked read", func() bool { return f.Blocked() > 0 })
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		closed(t, f)
	})
}

// libmpv itself must not pull the whole film through the stream.
func TestReadsLittleAhead(t *testing.T) {
	p := newPlayer(t)
	args := append(playertest.Inputs("640x360", "60"), playertest.Codecs()...)
	f := playertest.NewFile(playertest.Clip(t, "movie.mp4", append(args, "-b:v", "6M", "-minrate", "6M", "-maxrate", "6M", "-bufsize", "1M", "-x264-params", "nal-hrd=cbr")...))
	load(t, p, f.Opener(), nil)
	until(t, p, "playing", after(2*time.Second))
	p.Pause()
	size, read := int64(len(f.Data)), f.BytesRead()
	t.Logf("read %d of %d bytes after 2 s of 60 s", read, size)
	if size < 30<<20 || read > 12<<20 {
		t.Errorf("read %d of %d bytes", read, size)
	}
}

func TestFiftyPlayersLeaveNothing(t *testing.T) {
	movie := playertest.Movie(t, "320x180", "5")
	one := func() {
		p, err := player.New(player.Options{NullVideo: true, NullAudio: true})
		if err != nil {
			t.Fatal(err)
		}
		f := playertest.NewFile(movie)
		f.Block(int64(len(movie))/2, int64(len(movie)))
		load(t, p, f.Opener(), nil)
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		if f.Open() != 0 {
			t.Fatal("media left open")
		}
	}
	one() // what libmpv and the runtime keep for good
	ignore := goleak.IgnoreCurrent()
	threads := runtime.NumGoroutine()
	for range 50 {
		one()
	}
	goleak.VerifyNone(t, ignore)
	t.Logf("goroutines %d before, %d after", threads, runtime.NumGoroutine())
}

// With the render API and nobody who paints, playback goes on.
func TestPlaysUnseen(t *testing.T) {
	p, err := player.New(player.Options{}) // and without a sound device
	if err != nil {
		t.Fatal(err)
	}
	f := playertest.NewFile(playertest.Movie(t, "320x180", "3"))
	load(t, p, f.Opener(), nil)
	until(t, p, "the end", func(s player.State) bool { return s.Ended })
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}
