// SPDX-License-Identifier: AGPL-3.0-or-later

package webseed

import "container/heap"

// line is a queue of parties by some order. A party is in one line at most, and what orders it does not
// change meanwhile, unless for all at once.
type line struct {
	before   func(a, b *account) bool
	accounts []*account // a heap
}

// first is nil where nobody is in the line.
func (l *line) first() *account {
	if len(l.accounts) == 0 {
		return nil
	}
	return l.accounts[0]
}

func (l *line) add(a *account) { heap.Push(l, a) }

func (l *line) remove(a *account) { heap.Remove(l, a.at) }

// Len is heap.Interface's, as the rest of them.
func (l *line) Len() int { return len(l.accounts) }

// Less compares by the line's order.
func (l *line) Less(i, j int) bool { return l.before(l.accounts[i], l.accounts[j]) }

// Swap keeps each party's own place right.
func (l *line) Swap(i, j int) {
	l.accounts[i], l.accounts[j] = l.accounts[j], l.accounts[i]
	l.accounts[i].at, l.accounts[j].at = i, j
}

// Push takes a party in at the end.
func (l *line) Push(x any) {
	a := x.(*account) //nolint:forcetypeassert // add gives nothing else
	a.line, a.at = l, len(l.accounts)
	l.accounts = append(l.accounts, a)
}

// Pop takes out the party at the end.
func (l *line) Pop() any {
	end := len(l.accounts) - 1
	a := l.accounts[end]
	l.accounts[end], l.accounts = nil, l.accounts[:end]
	a.line = nil
	return a
}
