// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"shoal/app/core"
)

// errStopped is the end of work that a signal cut short.
var errStopped = errors.New("stopped before it was done")

// usageError is a wrong combination of arguments.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// output writes facts to stdout, for people or as JSON lines, and everything else to stderr.
type output struct {
	stdout, stderr io.Writer
	json           bool
	terminal       bool

	mu     sync.Mutex
	inline bool  // the terminal's line holds a progress text
	err    error // the first failed write to stdout
}

// event writes v as a JSON line, with --json only. v's first field is "event".
func (o *output) event(v any) {
	if !o.json {
		return
	}
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false) // magnets stay readable
	if err := enc.Encode(v); err != nil {
		o.note("writing an event failed: %v", err)
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, err := o.stdout.Write(line.Bytes()); err != nil && o.err == nil {
		o.err = fmt.Errorf("writing output: %w", err)
	}
}

// fact writes a line for people, without --json only.
func (o *output) fact(format string, args ...any) {
	if o.json {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.clearLine()
	if _, err := fmt.Fprintf(o.stdout, format+"\n", args...); err != nil && o.err == nil {
		o.err = fmt.Errorf("writing output: %w", err)
	}
}

// note writes a line to stderr.
func (o *output) note(format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.clearLine()
	fmt.Fprintf(o.stderr, format+"\n", args...)
}

// progress replaces the progress text on a terminal. Elsewhere it writes nothing.
func (o *output) progress(format string, args ...any) {
	if !o.terminal || o.json {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	text := []rune(fmt.Sprintf(format, args...))
	if len(text) > 100 {
		text = text[:100]
	}
	fmt.Fprintf(o.stderr, "\r\x1b[K%s", string(text))
	o.inline = true
}

// clearLine removes the progress text; o.mu is held.
func (o *output) clearLine() {
	if o.inline {
		fmt.Fprint(o.stderr, "\r\x1b[K")
		o.inline = false
	}
}

// failure is the event of a failed command.
type failure struct {
	Event   string `json:"event"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// fail says in one line why the command failed, and returns the exit code.
func (o *output) fail(err error) int {
	code, text := core.CodeOf(err), oneLine(err)
	switch {
	case errors.Is(err, errStopped), errors.Is(err, context.Canceled):
		code, text = "stopped", errStopped.Error()
	}
	o.note("shoal: %s", text)
	o.event(failure{Event: "error", Code: code, Message: text})
	return exitFailed
}

// usage says what is wrong with the arguments, and returns the exit code.
func (o *output) usage(err error) int {
	text := oneLine(err)
	if !strings.Contains(text, "shoal --help") {
		text += " (shoal --help lists the commands)"
	}
	o.note("shoal: %s", text)
	o.event(failure{Event: "error", Code: "usage", Message: text})
	return exitUsage
}

// oneLine is an error's text without line ends.
func oneLine(err error) string {
	lines := strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' })
	return strings.Join(lines, "; ")
}

// human writes a number of bytes for people.
func human(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", max(n, 0))
	}
	v, unit := float64(n), ""
	for _, unit = range []string{"kB", "MB", "GB", "TB", "PB"} {
		if v /= 1000; v < 999.5 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", v, unit)
}

// percent is done of total.
func percent(done, total int64) int {
	if total <= 0 {
		return 0
	}
	return int(min(max(done, 0), total) * 100 / total)
}
