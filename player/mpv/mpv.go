// SPDX-License-Identifier: AGPL-3.0-or-later

// Package mpv binds libmpv: handle, properties, commands, events, the software render API and
// stream_cb. The library is opened at run time by purego: building needs no header of it, and a
// program starts without it. Only player imports this package.
package mpv

import (
	"errors"
	"fmt"
	"runtime"
)

// ErrNoLibrary is wrapped by the error of New and Version when libmpv is not on this machine or
// is too old. The wrapping *LibraryError says what to install.
var ErrNoLibrary = errors.New("libmpv is missing")

// ErrClosed is returned by the methods of a Handle after Close.
var ErrClosed = errors.New("mpv handle is closed")

// LibraryError says that libmpv could not be used and what to install.
type LibraryError struct {
	// OS is the operating system as in runtime.GOOS.
	OS string
	// Cause is what the system's loader said about each name that was tried.
	Cause error
}

// Error returns one sentence for a person.
func (e *LibraryError) Error() string {
	return "The video player libmpv was not found. " + installHint(e.OS)
}

// Unwrap returns ErrNoLibrary and the cause.
func (e *LibraryError) Unwrap() []error { return []error{ErrNoLibrary, e.Cause} }

func noLibrary(cause error) error { return &LibraryError{OS: runtime.GOOS, Cause: cause} }

func installHint(goos string) string {
	switch goos {
	case "linux":
		return "Install it with “apt install libmpv2” (Debian, Ubuntu), “dnf install mpv-libs” (Fedora) or “pacman -S mpv” (Arch), then try again."
	case "darwin":
		return "Install it with “brew install mpv”, then try again."
	case "windows":
		return "Put libmpv-2.dll (from mpv.io, Installation) beside shoal.exe, then try again."
	case "freebsd":
		return "Install it with “pkg install mpv”, then try again."
	default:
		return "Install mpv with its library, then try again."
	}
}

// Error is a failure that libmpv reports.
type Error struct {
	// Op is the call that failed.
	Op string
	// Code is one of the Err constants or another mpv_error of client.h.
	Code int
	// Text is libmpv's own.
	Text string
}

// Error returns the call and libmpv's text.
func (e *Error) Error() string { return fmt.Sprintf("mpv %s: %s (%d)", e.Op, e.Text, e.Code) }

// Error codes of client.h (mpv_error) that callers tell apart.
const (
	ErrLoadingFailed = -13
	ErrAudioOutput   = -14
	ErrVideoOutput   = -15
	ErrNothingToPlay = -16
	ErrUnknownFormat = -17
	errUnsupported   = -18
	errGeneric       = -20
)

// Format of a property's value (client.h, mpv_format).
type Format int32

// The formats this binding reads.
const (
	FormatString Format = 1 // string
	FormatFlag   Format = 3 // bool
	FormatInt64  Format = 4 // int64
	FormatDouble Format = 5 // float64

	formatMap Format = 8
)

// Version returns the client API's version of the installed libmpv, such as "2.0".
func Version() (string, error) {
	lib, err := load()
	if err != nil {
		return "", err
	}
	v := lib.apiVersion()
	return fmt.Sprintf("%d.%d", v>>16, v&0xffff), nil
}
