// SPDX-License-Identifier: AGPL-3.0-or-later

package control

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Limits of the protocol.
const (
	maxLine  = 256 << 10 // bytes of one line
	maxChunk = 32 << 10  // bytes of output in one frame
	maxArgs  = 256       // arguments of a command
	maxEnv   = 256       // environment variables
)

// Request is a command to run.
type Request struct {
	// Args are the arguments after the program's name.
	Args []string `json:"args"`
	// Cwd is the client's working folder: relative paths are meant there.
	Cwd string `json:"cwd"`
	// Env are the SHOAL_* variables of the client.
	Env map[string]string `json:"env,omitempty"`
	// Terminal is set where the client's stderr is one.
	Terminal bool `json:"terminal,omitempty"`
}

// openRequest asks for an address to be shown.
type openRequest struct {
	Argument string `json:"argument"`
}

// message is a line of the client: exactly one field is set.
type message struct {
	Run    *Request     `json:"run,omitempty"`
	Open   *openRequest `json:"open,omitempty"`
	Cancel bool         `json:"cancel,omitempty"`
}

// frame is a line of the holder: exactly one field is set.
type frame struct {
	Stdout []byte `json:"stdout,omitempty"`
	Stderr []byte `json:"stderr,omitempty"`
	Exit   *int   `json:"exit,omitempty"`
}

var errLineTooLong = errors.New("the line is too long")

// readLine reads one line of at most maxLine bytes, without its end. The reader's buffer must hold
// maxLine bytes.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, errLineTooLong
	}
	if err != nil {
		if errors.Is(err, io.EOF) && len(line) > 0 {
			return nil, io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

func newReader(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, maxLine) }

// parseMessage reads a client's line.
func parseMessage(line []byte) (message, error) {
	var m message
	if err := decodeStrict(line, &m); err != nil {
		return message{}, err
	}
	set := 0
	for _, present := range []bool{m.Run != nil, m.Open != nil, m.Cancel} {
		if present {
			set++
		}
	}
	if set != 1 {
		return message{}, fmt.Errorf("reading request: %d of run, open, cancel are set instead of one", set)
	}
	if m.Run != nil && (len(m.Run.Args) > maxArgs || len(m.Run.Env) > maxEnv) {
		return message{}, errors.New("reading request: too many arguments or environment variables")
	}
	return m, nil
}

// parseFrame reads a holder's line.
func parseFrame(line []byte) (frame, error) {
	var f frame
	if err := decodeStrict(line, &f); err != nil {
		return frame{}, err
	}
	set := 0
	for _, present := range []bool{len(f.Stdout) > 0, len(f.Stderr) > 0, f.Exit != nil} {
		if present {
			set++
		}
	}
	if set != 1 {
		return frame{}, fmt.Errorf("reading answer: %d of stdout, stderr, exit are set instead of one", set)
	}
	return f, nil
}

func decodeStrict(line []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("reading line: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("reading line: something follows the JSON object")
	}
	return nil
}

// writeLine writes v as one line.
func writeLine(w io.Writer, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("writing line: %w", err)
	}
	if len(line) >= maxLine {
		return fmt.Errorf("writing line: %w", errLineTooLong)
	}
	if _, err := w.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("writing line: %w", err)
	}
	return nil
}
