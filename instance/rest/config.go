// SPDX-License-Identifier: AGPL-3.0-or-later

package rest

import (
	"net/http"

	"shoal/peer/peertube"
)

// config says what this instance is and does.
func (h *Handler) config(w http.ResponseWriter, _ *http.Request) {
	var c peertube.Config
	c.Instance.Name = h.cfg.Name
	c.Instance.ShortDescription = "A Shoal instance: videos shared by those who watch them."
	c.Instance.DefaultNSFWPolicy = "do_not_list"
	c.Instance.DefaultClientRoute = "/"
	c.ServerVersion = h.cfg.Version
	c.Defaults.Publish.DownloadEnabled = true
	c.Defaults.Publish.CommentsPolicy = peertube.CommentsEnabled
	c.Defaults.Publish.Privacy = peertube.PrivacyPublic
	c.Defaults.P2P.Webapp.Enabled = true
	c.Defaults.P2P.Embed.Enabled = true
	c.Theme.Default = "default"
	c.Transcoding.WebVideos.Enabled = true
	c.Transcoding.Profile = "default"
	c.Transcoding.AvailableProfiles = []string{"default"}
	c.Video.File.Extensions = []string{".webm", ".mp4"}
	c.Video.Image.Extensions = []string{".jpg"}
	c.Tracker.Enabled = true
	c.Live.MaxDuration, c.Live.MaxInstanceLives, c.Live.MaxUserLives = -1, -1, -1
	c.Live.Transcoding.Profile = "default"
	c.User.VideoQuota, c.User.VideoQuotaDaily = -1, -1
	c.Trending.Videos.IntervalDays = 7
	c.Trending.Videos.Algorithms.Enabled = []string{"most-viewed"}
	c.Trending.Videos.Algorithms.Default = "most-viewed"
	c.BroadcastMessage.Level = "info"
	const every = 5000 // milliseconds
	c.Views.Videos.WatchingInterval.Anonymous, c.Views.Videos.WatchingInterval.Users = every, every
	h.writeJSON(w, c)
}
