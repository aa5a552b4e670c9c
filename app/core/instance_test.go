// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"os"
	"strings"
	"testing"
	"time"

	"shoal/app/config"
)

func TestInstanceFollowsItsSettings(t *testing.T) {
	a := open(t, t.TempDir(), Options{Instance: &InstanceOptions{Listen: "127.0.0.1:0", Dev: true}})
	serve(t, a)
	<-a.Instance().Ready()
	folder := t.TempDir()
	set := func(folder string) {
		t.Helper()
		if err := a.Config().Update(func(c *config.Config) { c.Instance.WatchFolder, c.Instance.WatchChannel = folder, "talks" }); err != nil {
			t.Fatal(err)
		}
	}
	set(folder)
	if w := a.Status().WatchFolder; w.Folder != folder || w.Channel != "talks" {
		t.Errorf("after a change: %+v", w)
	}
	own := a.Config().Get().DownloadsDir(a.DataDir())
	if err := os.MkdirAll(own, 0o700); err != nil {
		t.Fatal(err)
	}
	set(own)
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(a.Status().WatchFolder.Problem, "Shoal itself keeps videos"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("what others made would be published: %+v", a.Status().WatchFolder)
		}
	}
	set("")
	if w := a.Status().WatchFolder; w.Folder != "" {
		t.Errorf("switched off: %+v", w)
	}
}
