// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import "time"

// Source is a file that was published, or that could not be: what a watch folder must not take again.
type Source struct {
	// Path is absolute, without symbolic links.
	Path    string    `json:"path"`
	Size    int64     `json:"size"` // in bytes
	ModTime time.Time `json:"modTime"`
	// UUID is the video's, empty where Failure says for a person why there is none.
	UUID    string `json:"uuid,omitempty"`
	Failure string `json:"failure,omitempty"`
}

// PutSource stores what became of a file. Publish does it for those that its draft names.
func (s *Store) PutSource(f Source) error {
	return s.Write("storing what became of a file", func(tx *Tx) error { return tx.put(bucketSources, []byte(f.Path), f) })
}

// Source returns what became of the file at a path.
func (tx *Tx) Source(path string) (Source, bool, error) {
	f, ok, err := get[Source](tx, bucketSources, []byte(path))
	if err != nil || !ok {
		return Source{}, false, err
	}
	return *f, true, nil
}

// settle notes that what a draft was made of is published.
func (tx *Tx) settle(draft, uuid string) error {
	d, ok, err := get[Draft](tx, bucketDrafts, []byte(draft))
	if err != nil || !ok || d.Source == nil {
		return err
	}
	f := *d.Source
	f.UUID = uuid
	return tx.put(bucketSources, []byte(f.Path), f)
}
