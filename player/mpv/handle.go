// SPDX-License-Identifier: AGPL-3.0-or-later

package mpv

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// quitTimeout bounds how long Close waits for the core to say that it has shut down.
const quitTimeout = 10 * time.Second

// Handle is one mpv core. Its methods may be called from any goroutine, except that only one
// goroutine calls Wait and Close.
type Handle struct {
	lib *library
	h   uintptr

	// mu is held for reading by every call into the core, so that none runs while it is freed.
	mu     sync.RWMutex
	closed bool

	render    *Render
	protocols []uintptr
}

// New starts a core with the options given (as on mpv's command line, without the dashes).
// Without libmpv the error is a *LibraryError.
func New(options map[string]string) (*Handle, error) {
	lib, err := load()
	if err != nil {
		return nil, err
	}
	h := lib.create()
	if h == 0 {
		return nil, errors.New("starting mpv: out of memory, or LC_NUMERIC is not C")
	}
	for _, name := range slices.Sorted(maps.Keys(options)) {
		if err := lib.check(lib.setOptionString(h, name, options[name]), "option "+name); err != nil {
			lib.terminateDestroy(h)
			return nil, err
		}
	}
	if err := lib.check(lib.initialize(h), "initialize"); err != nil {
		lib.terminateDestroy(h)
		return nil, err
	}
	return &Handle{lib: lib, h: h}, nil
}

// Command runs a command and waits for it. A command can wait for the render goroutine or a stream: use it
// where nothing plays, and CommandAsync elsewhere.
func (m *Handle) Command(args ...string) error {
	a, err := newCArgs(args)
	if err != nil {
		return fmt.Errorf("running mpv command: %w", err)
	}
	defer a.free()
	return m.call(args[0], func() int32 { return m.lib.command(m.h, a.pointer()) })
}

// CommandAsync queues a command and returns. Its outcome comes as an EventCommandReply with
// the same id.
func (m *Handle) CommandAsync(id uint64, args ...string) error {
	a, err := newCArgs(args)
	if err != nil {
		return fmt.Errorf("queueing mpv command: %w", err)
	}
	defer a.free()
	return m.call(args[0], func() int32 { return m.lib.commandAsync(m.h, id, a.pointer()) })
}

// SetAsync queues the setting of a property and returns. Its outcome comes as an
// EventSetPropertyReply with the same id.
func (m *Handle) SetAsync(id uint64, name, value string) error {
	a, err := newCArgs([]string{value})
	if err != nil {
		return fmt.Errorf("queueing mpv property: %w", err)
	}
	defer a.free()
	return m.call("set "+name, func() int32 {
		return m.lib.setPropertyAsync(m.h, id, name, int32(FormatString), a.pointer())
	})
}

// Get reads a property as text; ok is false where it has no value. It may wait for the core.
func (m *Handle) Get(name string) (value string, ok bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return "", false
	}
	p := m.lib.getPropertyStr(m.h, name)
	if p == 0 {
		return "", false
	}
	defer m.lib.free(p)
	return goString(p), true
}

// Observe asks for an EventPropertyChange now and whenever the property changes.
func (m *Handle) Observe(name string, format Format) error {
	return m.call("observe "+name, func() int32 {
		return m.lib.observeProperty(m.h, 0, name, int32(format))
	})
}

// LogLevel asks for log messages as events: "no", "fatal", "error", "warn", "info", "v", "debug".
func (m *Handle) LogLevel(level string) error {
	return m.call("log level", func() int32 { return m.lib.requestLog(m.h, level) })
}

// Wakeup makes a Wait in progress return EventNone.
func (m *Handle) Wakeup() {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if !m.closed {
		m.lib.wakeup(m.h)
	}
}

func (m *Handle) call(op string, fn func() int32) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return ErrClosed
	}
	return m.lib.check(fn(), op)
}

// Close ends the core; the goroutine that calls Wait calls it. The order matters, in another one
// libmpv hangs or aborts: the render context is freed first (its user has stopped drawing by then),
// then the core is told to quit and heard to shut down, then it is destroyed. A stream that blocks must have been
// cancelled. An error means that the core did not shut down in time and was left behind.
func (m *Handle) Close() error {
	m.mu.RLock()
	closed := m.closed
	m.mu.RUnlock()
	if closed {
		return nil
	}
	if m.render != nil {
		m.render.free()
	}
	err := m.CommandAsync(0, "quit")
	shutDown := false
	for end := time.Now().Add(quitTimeout); err == nil && !shutDown && time.Now().Before(end); {
		shutDown = m.Wait(time.Until(end)).ID == EventShutdown
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	if err != nil {
		return fmt.Errorf("closing mpv: %w", err)
	}
	if !shutDown {
		return errors.New("closing mpv: it did not shut down in time")
	}
	m.lib.terminateDestroy(m.h)
	for _, id := range m.protocols {
		m.lib.registry.remove(id)
	}
	return nil
}

// Wait returns the next event, or EventNone after timeout; a negative timeout waits for ever.
func (m *Handle) Wait(timeout time.Duration) Event {
	seconds := timeout.Seconds()
	if timeout < 0 {
		seconds = -1
	}
	// No lock: it would hold off Close's, and only the goroutine that calls Close calls Wait.
	if m.closed {
		return Event{ID: EventShutdown}
	}
	return m.lib.decodeEvent((*cEvent)(pointer(m.lib.waitEvent(m.h, seconds))))
}
