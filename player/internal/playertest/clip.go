// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e || bench

package playertest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Clip makes a file with ffmpeg from its arguments (inputs and codecs) and returns its bytes.
func Clip(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(ClipPath(t, name, args...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// ClipPath is Clip for who needs the file itself.
func ClipPath(t testing.TB, name string, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	args = append(append([]string{"-nostdin", "-v", "error", "-y"}, args...), path)
	if out, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg %v: %v\n%s", args, err, out)
	}
	return path
}

// Inputs and codecs for Clip: a moving test picture and a tone, H.264 and AAC.
func Inputs(size, seconds string) []string {
	return []string{
		"-f", "lavfi", "-i", "testsrc2=size=" + size + ":rate=30:duration=" + seconds,
		"-f", "lavfi", "-i", "sine=frequency=440:duration=" + seconds,
	}
}

// Codecs are the arguments that make an MP4 which streams.
func Codecs() []string {
	return []string{
		"-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "30",
		"-c:a", "aac", "-movflags", "+faststart",
	}
}

// Movie is a clip of the size (such as "320x180") and length given.
func Movie(t testing.TB, size, seconds string) []byte {
	t.Helper()
	return Clip(t, "movie.mp4", append(Inputs(size, seconds), Codecs()...)...)
}
