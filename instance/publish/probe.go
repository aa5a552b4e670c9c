// SPDX-License-Identifier: AGPL-3.0-or-later

package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Media is what is known of a file that may be published.
type Media struct {
	Ext       string // .mp4 or .webm
	MediaType string // video/mp4 or video/webm
	// Duration is in seconds.
	Duration      float64
	Width, Height int // as shown, in pixels
	// FPS is frames per second, rounded.
	FPS        int
	VideoCodec string
	AudioCodec string // empty without sound
	stream     int    // the video's index in the file
}

// Resolution is the short side in pixels.
func (m Media) Resolution() int { return min(m.Width, m.Height) }

// fileArg is a file's name as ffmpeg's programs take it whatever it is called.
func fileArg(path string) string { return "file:" + path }

// Probe asks ffprobe about a file. Its errors are sentences for a person.
func Probe(ctx context.Context, ffprobe, path string) (Media, error) {
	name := filepath.Base(path)
	out, err := run(
		ctx, ffprobe, "-v", "error", "-protocol_whitelist", "file", "-print_format", "json",
		"-show_format", "-show_streams", "-i", fileArg(path),
	)
	var failed *errTool
	if errors.As(err, &failed) {
		return Media{}, fmt.Errorf("%s is no video that can be read, or it is cut off: check that it plays: %w", name, err)
	}
	if err != nil {
		return Media{}, err
	}
	m, err := parseProbe(name, out)
	if err != nil {
		return Media{}, err
	}
	return m, checkContainer(path, m)
}

// probeOutput is the part of ffprobe's answer that is read.
type probeOutput struct {
	Format struct {
		Name     string `json:"format_name"`
		Duration string `json:"duration"`
	} `json:"format"`
	Streams []probeStream `json:"streams"`
}

type probeStream struct {
	Index       int    `json:"index"`
	Type        string `json:"codec_type"`
	Codec       string `json:"codec_name"`
	Width       int    `json:"width"`
	Height      int    `json:"height"`
	AvgRate     string `json:"avg_frame_rate"`
	Rate        string `json:"r_frame_rate"`
	Duration    string `json:"duration"`
	Disposition struct {
		AttachedPic int `json:"attached_pic"`
	} `json:"disposition"`
	SideData []struct {
		Rotation float64 `json:"rotation"`
	} `json:"side_data_list"`
}

// codecs lists what browsers play, by container.
func codecs(ext string) (video, audio []string) {
	if ext == ".webm" {
		return []string{"vp8", "vp9", "av1"}, []string{"opus", "vorbis"}
	}
	return []string{"h264", "av1", "vp9"}, []string{"aac", "mp3", "opus", "flac"}
}

// parseProbe reads ffprobe's answer about the file called name.
func parseProbe(name string, out []byte) (Media, error) {
	var p probeOutput
	if err := json.Unmarshal(out, &p); err != nil {
		return Media{}, fmt.Errorf("reading what ffprobe says of %s: %w", name, err)
	}
	var m Media
	formats := strings.Split(p.Format.Name, ",")
	switch {
	case slices.Contains(formats, "mp4"):
		m.Ext, m.MediaType = ".mp4", "video/mp4"
	case slices.Contains(formats, "webm"):
		m.Ext, m.MediaType = ".webm", "video/webm"
	}
	found := false
	for i := range p.Streams {
		s := &p.Streams[i]
		switch {
		case s.Type == "video" && s.Disposition.AttachedPic == 0 && !found:
			found = true
			m.setVideo(s)
		case s.Type == "audio" && m.AudioCodec == "":
			m.AudioCodec = s.Codec
		}
	}
	if d, err := strconv.ParseFloat(p.Format.Duration, 64); err == nil && d > 0 && d < 1e7 {
		m.Duration = d
	}
	return m, m.check(name, found, p.Format.Name)
}

func (m *Media) setVideo(s *probeStream) {
	m.stream, m.VideoCodec, m.Width, m.Height = s.Index, s.Codec, s.Width, s.Height
	m.FPS = rate(s.AvgRate)
	if m.FPS == 0 {
		m.FPS = rate(s.Rate)
	}
	for _, d := range s.SideData {
		if quarter := int(math.Abs(math.Round(d.Rotation / 90))); quarter%2 == 1 {
			m.Width, m.Height = m.Height, m.Width
		}
	}
}

func (m *Media) check(name string, found bool, format string) error {
	video, audio := codecs(m.Ext)
	switch {
	case !found:
		return fmt.Errorf("%s has no video in it: choose a video file", name)
	case m.Width < 1 || m.Height < 1 || m.Width > 1<<15 || m.Height > 1<<15:
		return fmt.Errorf("%s has a picture of %d by %d pixels, which no player shows: check that it plays", name, m.Width, m.Height)
	case m.Ext == "":
		return fmt.Errorf("%s is in the container %s, which browsers do not play: %s", name, format, convert(name))
	case !slices.Contains(video, m.VideoCodec):
		return fmt.Errorf("%s has video in %s, which browsers do not play in %s: %s", name, m.VideoCodec, m.Ext[1:], convert(name))
	case m.AudioCodec != "" && !slices.Contains(audio, m.AudioCodec):
		return fmt.Errorf("%s has sound in %s, which browsers do not play in %s: %s", name, m.AudioCodec, m.Ext[1:], convert(name))
	case m.Duration == 0:
		return fmt.Errorf("%s does not say how long it is: %s", name, convert(name))
	}
	return nil
}

// convert is the advice for a file that browsers do not play.
func convert(name string) string {
	out := strings.TrimSuffix(name, filepath.Ext(name)) + "-web.mp4"
	return fmt.Sprintf("convert it with ffmpeg -i %s -c:v libx264 -pix_fmt yuv420p -c:a aac -movflags +faststart %s", shellQuote(name), shellQuote(out))
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// rate reads a fraction such as 30000/1001, rounded; 0 is unknown.
func rate(s string) int {
	num, den, _ := strings.Cut(s, "/")
	n, err1 := strconv.ParseFloat(num, 64)
	d, err2 := strconv.ParseFloat(den, 64)
	if err1 != nil || err2 != nil || d <= 0 || n <= 0 || n/d > 1000 {
		return 0
	}
	return max(1, int(math.Round(n/d)))
}

// checkContainer looks for what ffprobe forgives: an mp4 that is cut off, QuickTime, Matroska.
func checkContainer(path string, m Media) error {
	f, err := open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return fmt.Errorf("opening the video: %w", err)
	}
	name := filepath.Base(path)
	if m.Ext == ".webm" {
		return checkWebM(f, name)
	}
	return checkMP4(f, fi.Size(), name)
}
