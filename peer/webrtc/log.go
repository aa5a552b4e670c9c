// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// pionLoggers gives pion's own log lines to slog, all at debug level: what a stranger's packets
// make the library say is of no use to a person.
type pionLoggers struct{ logger *slog.Logger }

// NewLogger makes the logger of one part of the library.
func (p pionLoggers) NewLogger(scope string) logging.LeveledLogger {
	return pionLogger{logger: p.logger, scope: scope}
}

type pionLogger struct {
	logger *slog.Logger
	scope  string
}

func (p pionLogger) say(text string, args ...any) {
	if !p.logger.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	if len(args) > 0 {
		text = fmt.Sprintf(text, args...)
	}
	p.logger.Debug("pion says", "scope", p.scope, "text", text)
}

func (pionLogger) Trace(string)                     {}
func (pionLogger) Tracef(string, ...any)            {}
func (pionLogger) Debug(string)                     {}
func (pionLogger) Debugf(string, ...any)            {}
func (p pionLogger) Info(msg string)                { p.say(msg) }
func (p pionLogger) Infof(msg string, args ...any)  { p.say(msg, args...) }
func (p pionLogger) Warn(msg string)                { p.say(msg) }
func (p pionLogger) Warnf(msg string, args ...any)  { p.say(msg, args...) }
func (p pionLogger) Error(msg string)               { p.say(msg) }
func (p pionLogger) Errorf(msg string, args ...any) { p.say(msg, args...) }
