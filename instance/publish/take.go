// SPDX-License-Identifier: AGPL-3.0-or-later

package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const copySize = 1 << 20

// take brings the file at from to to, which must not exist: as a clone that shares the disk's
// blocks, else as a hard link, else as a copy. Only the copy costs room and calls progress.
func take(ctx context.Context, from, to string, progress func(done, total int64)) error {
	if err := clone(from, to); err == nil {
		return nil
	}
	if err := os.Link(from, to); err == nil {
		return nil
	}
	if err := copyFile(ctx, from, to, progress); err != nil {
		return errors.Join(full(err), removed(to))
	}
	return nil
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

func copyFile(ctx context.Context, from, to string, progress func(done, total int64)) (err error) {
	src, err := os.Open(from) //nolint:gosec // the person named it
	if err != nil {
		return fmt.Errorf("opening the video: %w", err)
	}
	defer src.Close()
	fi, err := src.Stat()
	if err != nil {
		return fmt.Errorf("opening the video: %w", err)
	}
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // it is served to anyone
	if err != nil {
		return fmt.Errorf("copying the video: %w", err)
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	buf := make([]byte, copySize)
	var done int64
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := src.Read(buf)
		if _, werr := dst.Write(buf[:n]); werr != nil {
			return fmt.Errorf("copying the video: %w", werr)
		}
		done += int64(n)
		if n > 0 {
			progress(done, fi.Size())
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("copying the video: %w", err)
		}
	}
	if err := dst.Sync(); err != nil {
		return fmt.Errorf("copying the video: %w", err)
	}
	return nil
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
