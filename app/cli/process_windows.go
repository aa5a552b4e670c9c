// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"os"
	"os/exec"
	"syscall"
)

// detach keeps a console's Ctrl-C from a child: this process ends it.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// interrupt ends a child; there is no signal to ask it with.
func interrupt(p *os.Process) error { return p.Kill() }
