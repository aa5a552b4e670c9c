// SPDX-License-Identifier: AGPL-3.0-or-later

package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

const (
	toolTimeout = 2 * time.Minute
	// maxOutput bounds what is kept of a program's output, in bytes.
	maxOutput = 1 << 20
)

// errTool is a program that ran and failed; its text is the program's own last words.
type errTool struct{ name, words string }

func (e *errTool) Error() string { return e.name + " says: " + e.words }

// run runs ffmpeg or ffprobe and returns its output, bounded in time and size.
func run(ctx context.Context, program string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, toolTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // the program comes from the settings, the file's name as file:/...
	out, words := &bounded{left: maxOutput}, &bounded{left: 64 << 10}
	cmd.Stdout, cmd.Stderr = out, words
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, &errTool{program, fmt.Sprintf("nothing within %s", toolTimeout)}
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &exit):
		return nil, &errTool{program, lastLine(words.String())}
	case err != nil:
		return nil, fmt.Errorf("running %s: %w", program, err)
	}
	return out.Bytes(), nil
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return last
	}
	return "nothing"
}

// bounded keeps the first bytes and drops the rest.
type bounded struct {
	bytes.Buffer
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	n := min(len(p), b.left)
	b.left -= n
	b.Buffer.Write(p[:n])
	return len(p), nil
}

// ReadFrom hides the buffer's own, which has no bound.
func (b *bounded) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{b}, r)
}

// find looks a program up and says what to install when it is missing.
func find(program, fallback string) (string, error) {
	if program == "" {
		program = fallback
	}
	path, err := exec.LookPath(program)
	if err != nil {
		return "", fmt.Errorf("%s is missing: install FFmpeg (the package ffmpeg on most systems, or ffmpeg.org), which has ffmpeg and ffprobe: %w", program, err)
	}
	return path, nil
}
