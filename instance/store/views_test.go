// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import "testing"

// TestAViewReadTheWholeDatabaseAnew checks that what is in memory follows a view alone, in every way
// to count one.
func TestAViewReadTheWholeDatabaseAnew(t *testing.T) {
	s := openFederated(t)
	v, err := s.Publish("", sample(s))
	if err != nil {
		t.Fatal(err)
	}
	other := sample(s)
	other.UUID = "11111111-1822-4544-bf7c-52e111041379"
	if _, err := s.Publish("", other); err != nil {
		t.Fatal(err)
	}
	for n, watch := range []func(*Tx) error{
		func(tx *Tx) error { return tx.AddViews(map[uint64]int64{v.ID: 1}) },
		func(tx *Tx) error { return tx.AddReceivedViews(us+"/videos/watch/"+v.UUID, 1) },
		func(tx *Tx) error { return tx.UpdateVideo(v.ID, func(v *Video) error { v.Views++; return nil }) },
	} {
		kinds(t, s)
		before := s.Snapshot()
		rest, _ := before.VideoByUUID(other.UUID)
		write(t, s, watch)
		after := s.Snapshot()
		if same, _ := after.VideoByUUID(other.UUID); same != rest {
			t.Errorf("way %d: all videos were read anew", n)
		}
		got, _ := after.Video(v.ID)
		ref, _ := after.ByInfohash(v.Files[0].Infohash)
		old, _ := before.Video(v.ID)
		if got.Views != int64(n+1) || ref.Video != got || after.lines[v.ID].views != got.Views || after.Videos()[0] != got || old.Views != int64(n) {
			t.Errorf("way %d: %d views, before %d", n, got.Views, old.Views)
		}
		if got := kinds(t, s); got != "videoWatched /videos/watch/"+v.UUID+" /accounts/root" {
			t.Errorf("way %d: logged %q", n, got)
		}
	}
}
