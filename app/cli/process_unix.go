// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build unix

package cli

import (
	"os"
	"os/exec"
	"syscall"
)

// detach keeps a terminal's Ctrl-C from a child: this process ends it.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// interrupt asks a child to end.
func interrupt(p *os.Process) error { return p.Signal(syscall.SIGTERM) }
