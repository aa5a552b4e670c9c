// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"shoal/app/core"
)

// sink is where streamed bytes go: nowhere, stdout, or a file that gets its name once it is whole.
type sink struct {
	w      io.Writer
	file   *os.File // the unfinished file
	final  string   // its name when whole
	stdout bool
}

// openSink opens --out.
func openSink(out string, r *run) (*sink, error) {
	switch out {
	case "":
		return &sink{w: io.Discard}, nil
	case "-":
		return &sink{w: r.env.Stdout, stdout: true}, nil
	}
	final := out
	if !filepath.IsAbs(final) {
		final = filepath.Join(r.env.Cwd, final)
	}
	if info, err := os.Stat(final); err == nil && info.IsDir() {
		return nil, &core.Error{Code: core.CodeBadInput, Message: fmt.Sprintf("--out %s is a folder: name a file", final)}
	}
	f, err := os.CreateTemp(filepath.Dir(final), "."+filepath.Base(final)+".*.part")
	if err != nil {
		return nil, &core.Error{Code: core.CodeBadInput, Message: fmt.Sprintf("--out %s cannot be written: name a file in a folder that exists and that you may write to", final), Err: err}
	}
	return &sink{w: f, file: f, final: final}, nil
}

// Write writes the next bytes.
func (s *sink) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if err == nil {
		return n, nil
	}
	if errors.Is(err, syscall.ENOSPC) {
		return n, &core.Error{Code: "diskFull", Message: "the disk is full: free some space and start again", Err: err}
	}
	return n, fmt.Errorf("writing the video: %w", err)
}

// commit gives the file its name.
func (s *sink) commit() error {
	if s.file == nil {
		return nil
	}
	// CreateTemp's mode is for secrets; this is an ordinary file.
	if err := errors.Join(s.file.Chmod(0o644), s.file.Sync()); err != nil {
		return fmt.Errorf("writing the video: %w", err)
	}
	name := s.file.Name()
	if err := s.file.Close(); err != nil {
		return fmt.Errorf("writing the video: %w", err)
	}
	s.file = nil
	if err := os.Rename(name, s.final); err != nil {
		return errors.Join(fmt.Errorf("writing the video: %w", err), os.Remove(name))
	}
	return nil
}

// discard removes a file that did not become whole.
func (s *sink) discard() error {
	if s.file == nil {
		return nil
	}
	err := errors.Join(s.file.Close(), os.Remove(s.file.Name()))
	s.file = nil
	if err != nil {
		return fmt.Errorf("removing the unfinished file: %w", err)
	}
	return nil
}
