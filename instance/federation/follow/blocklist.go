// SPDX-License-Identifier: AGPL-3.0-or-later

package follow

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"shoal/instance/fault"
)

// Bounds of a block list.
const (
	MaxList      = 32 << 20 // bytes
	maxListHosts = 500_000
	maxReason    = 500 // bytes
)

// The forms of a block list.
const (
	FormText = "text" // one host a line, # begins a comment
	FormCSV  = "csv"  // Mastodon's domain blocks: #domain,#severity,...
)

// ListEntry is a host on a block list.
type ListEntry struct {
	Host   string
	Reason string
}

// List is a block list that was read.
type List struct {
	// Entries are in the list's order, each host once.
	Entries []ListEntry
	// Skipped counts lines that name no host to block: another severity than suspend, an obfuscated
	// or broken name.
	Skipped int
}

// ParseList reads a block list in either form. Its errors are sentences for a person.
func ParseList(r io.Reader) (List, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxList+1))
	if err != nil {
		return List{}, fmt.Errorf("reading the block list: %w", err)
	}
	if len(text) > MaxList {
		return List{}, fault.BadInput("the block list has more than %d MB: cut it into several", MaxList>>20)
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("<")) {
		return List{}, fault.BadInput("this is a web page and no block list: give the address of the list itself, which has one host a line or is a CSV")
	}
	p := parser{seen: map[string]bool{}}
	if columns, ok := header(text); ok {
		err = p.csv(text, columns)
	} else {
		err = p.lines(text)
	}
	if err != nil {
		return List{}, err
	}
	return p.list, nil
}

// usable reads a block list of which something can be used.
func usable(r io.Reader) (List, error) {
	list, err := ParseList(r)
	if err == nil && len(list.Entries) == 0 {
		err = fault.BadInput("the block list names no host: check that it has one host a line, or is a CSV with the severity suspend")
	}
	return list, err
}

type parser struct {
	list List
	seen map[string]bool
}

func (p *parser) add(host, reason string) error {
	name, err := Host(host)
	if err != nil || !strings.ContainsAny(name, ".:") {
		p.list.Skipped++
		return nil //nolint:nilerr // a line that names no host is counted
	}
	if p.seen[name] {
		return nil
	}
	if len(p.list.Entries) == maxListHosts {
		return fault.BadInput("the block list names more than %d hosts: cut it into several", maxListHosts)
	}
	p.seen[name] = true
	p.list.Entries = append(p.list.Entries, ListEntry{Host: name, Reason: oneLine(reason)})
	return nil
}

// lines reads one host a line; what follows a # is a comment.
func (p *parser) lines(text []byte) error {
	s := bufio.NewScanner(bytes.NewReader(text))
	s.Buffer(make([]byte, 0, 4096), MaxList+1)
	for s.Scan() {
		host, reason, _ := strings.Cut(s.Text(), "#")
		if host = strings.TrimSpace(host); host == "" {
			continue
		}
		if err := p.add(host, reason); err != nil {
			return err
		}
	}
	return s.Err()
}

// columns are the places of what is read in a CSV; -1 where it is missing.
type columns struct{ domain, severity, comment int }

// header finds a CSV's header, with or without Mastodon's # before each name.
func header(text []byte) (columns, bool) {
	first, _, _ := bytes.Cut(text, []byte("\n"))
	fields := strings.Split(strings.ToLower(strings.TrimSpace(string(first))), ",")
	for i, f := range fields {
		fields[i] = strings.TrimPrefix(strings.Trim(strings.TrimSpace(f), `"`), "#")
	}
	c := columns{slices.Index(fields, "domain"), slices.Index(fields, "severity"), slices.Index(fields, "public_comment")}
	return c, c.domain >= 0 && (len(fields) > 1 || strings.HasPrefix(string(first), "#"))
}

func (p *parser) csv(text []byte, c columns) error {
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord, r.LazyQuotes, r.ReuseRecord = -1, true, true
	field := func(rec []string, i int) string {
		if i < 0 || i >= len(rec) {
			return ""
		}
		return strings.TrimSpace(rec[i])
	}
	for first := true; ; first = false {
		rec, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fault.BadInput("the block list is no CSV: %v", err)
		case first:
			continue
		}
		domain, severity := field(rec, c.domain), strings.ToLower(field(rec, c.severity))
		if severity != "suspend" && c.severity >= 0 {
			p.list.Skipped++
			continue
		}
		if err := p.add(domain, field(rec, c.comment)); err != nil {
			return err
		}
	}
}

// WriteList writes a block list in a form; empty is FormText.
func WriteList(w io.Writer, form string, entries []ListEntry) error {
	switch form {
	case FormText, "":
		b := bufio.NewWriter(w)
		for _, e := range entries {
			line := e.Host
			if reason := oneLine(e.Reason); reason != "" {
				line += " # " + reason
			}
			if _, err := b.WriteString(line + "\n"); err != nil {
				return fmt.Errorf("writing the block list: %w", err)
			}
		}
		if err := b.Flush(); err != nil {
			return fmt.Errorf("writing the block list: %w", err)
		}
		return nil
	case FormCSV:
		c := csv.NewWriter(w)
		rows := [][]string{{"#domain", "#severity", "#reject_media", "#reject_reports", "#public_comment", "#obfuscate"}}
		for _, e := range entries {
			rows = append(rows, []string{e.Host, "suspend", "true", "true", oneLine(e.Reason), "false"})
		}
		if err := c.WriteAll(rows); err != nil {
			return fmt.Errorf("writing the block list: %w", err)
		}
		return nil
	}
	return fault.BadInput("there is no form %q of block lists: choose %s or %s", clip(form), FormText, FormCSV)
}

// oneLine makes a reason fit a line.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	if len(s) > maxReason {
		s = strings.TrimSpace(strings.ToValidUTF8(s[:maxReason], ""))
	}
	return s
}
