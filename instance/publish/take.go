// SPDX-License-Identifier: AGPL-3.0-or-later

package publish

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// share brings the file at from to to, which must not exist, without a copy: as a clone that shares
// the disk's blocks, else as a hard link. It reports whether the disk allows it.
func share(from, to string) bool {
	return clone(from, to) == nil || os.Link(from, to) == nil
}

// full says in plain words that the disk is full.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("the disk is full: free some space and publish again: %w", err)
	}
	return err
}

// removed removes what may not be there.
func removed(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing what is left over: %w", err)
	}
	return nil
}

// copyAs copies what read reads of f to the file to, which must not exist. Nothing of it is left
// after an error.
func copyAs(f *os.File, to string, read func(io.ReaderAt) error) error {
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // it is served to anyone
	if err != nil {
		return fmt.Errorf("copying the video: %w", full(err))
	}
	err = read(tee{f, dst})
	if err == nil {
		err = dst.Sync()
	}
	if err = errors.Join(err, dst.Close()); err != nil {
		return errors.Join(full(err), removed(to))
	}
	return nil
}

// tee writes what is read of a file to another, at the same place.
type tee struct{ from, to *os.File }

// ReadAt implements io.ReaderAt.
func (t tee) ReadAt(b []byte, off int64) (int, error) {
	n, err := t.from.ReadAt(b, off)
	if _, werr := t.to.WriteAt(b[:n], off); werr != nil {
		return 0, fmt.Errorf("copying the video: %w", werr)
	}
	return n, err
}

// writeFile writes a file whole or not at all: temporary, fsync, rename.
func writeFile(path string, b []byte) (err error) {
	temp := path + partial
	defer func() {
		if err != nil {
			err = errors.Join(full(err), removed(temp))
		}
	}()
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644) //nolint:gosec // it is served to anyone
	if err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(path), err)
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(path), err)
	}
	return place(temp, path)
}

// place renames a finished temporary file to its name.
func place(temp, path string) error {
	if err := os.Rename(temp, path); err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(path), err)
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes a rename or a link last. Systems that cannot do that to a folder do it by themselves.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // in the data directory
	if err != nil {
		return fmt.Errorf("syncing folder %s: %w", dir, err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("syncing folder %s: %w", dir, err)
	}
	return nil
}

// Unchanged reports whether a file is as its size and time say.
func Unchanged(fi os.FileInfo, size int64, modTime time.Time) bool {
	return fi.Mode().IsRegular() && fi.Size() == size && fi.ModTime().Equal(modTime)
}
