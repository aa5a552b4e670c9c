// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"shoal/instance/fault"
	"shoal/instance/federation/fetch"
	"shoal/instance/federation/resolve"
	"shoal/peer/peertube"
)

// ErrInUse says that another process holds the data folder.
var ErrInUse = errors.New("the data folder is in use")

// Codes of Error. Those of peertube.Error and of fetch.Error are used too.
const (
	CodeBadInput   = "badInput"   // an argument that cannot be
	CodeNotFound   = "notFound"   // nothing is at this address
	CodeNotMedia   = "notMedia"   // a file or swarm without a video
	CodeInUse      = "inUse"      // another process holds the data folder
	CodeFolder     = "folder"     // the data folder cannot be used
	CodeNoInstance = "noInstance" // this folder is no instance
	CodeRefused    = "refused"    // another instance, or a rule here, said no
	CodeBlocked    = "blocked"    // the other instance is blocked here
	CodeTimeout    = "timeout"    // nobody answered in time
	CodeFailed     = "failed"     // anything else
)

// Error is a failure with a stable code for scripts and a sentence for people.
type Error struct {
	Code    string // lowerCamelCase
	Message string // what failed and what to do
	Err     error  // the cause, for the log; may be nil
}

// Error returns the sentence.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func fail(code string, err error, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Err: err}
}

// CodeOf returns an error's code for scripts.
func CodeOf(err error) string {
	var own *Error
	var remote *peertube.Error
	var fetched *fetch.Error
	switch {
	case errors.As(err, &own):
		return own.Code
	case errors.As(err, &remote):
		return string(remote.Code)
	case errors.As(err, &fetched):
		return string(fetched.Code)
	case errors.Is(err, resolve.ErrGone), errors.Is(err, fault.ErrNotFound):
		return CodeNotFound
	case errors.Is(err, resolve.ErrBlocked), errors.Is(err, fault.ErrBlocked):
		return CodeBlocked
	case errors.Is(err, resolve.ErrRefused), errors.Is(err, fault.ErrRefused):
		return CodeRefused
	case errors.Is(err, fault.ErrBadInput):
		return CodeBadInput
	case errors.Is(err, context.DeadlineExceeded):
		return CodeTimeout
	}
	return CodeFailed
}

// folderError explains why the data folder cannot be used.
func folderError(dir string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fail(CodeFolder, err, "the data folder %s cannot be written: give yourself the right to write there, or name another folder with --data", dir)
	case errors.Is(err, syscall.ENOTDIR):
		return fail(CodeFolder, err, "the data folder %s is a file: name a folder with --data", dir)
	case errors.Is(err, syscall.ENOSPC):
		return fail(CodeFolder, err, "the disk of the data folder %s is full: free some space", dir)
	}
	return fail(CodeFolder, err, "the data folder %s cannot be opened (%v): name another folder with --data", dir, err)
}

// explainOpening turns what the parts say about a start that failed into one line.
func explainOpening(err error) error {
	var own *Error
	if errors.As(err, &own) || !strings.Contains(err.Error(), "\n") {
		return err
	}
	return fail(CodeFailed, err, "%s", strings.Join(strings.Fields(err.Error()), " "))
}
