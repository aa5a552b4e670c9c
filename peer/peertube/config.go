// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

// Config is what an instance says about itself (GET /api/v1/config).
type Config struct {
	Client struct {
		Videos struct {
			Miniature struct {
				PreferAuthorDisplayName bool `json:"preferAuthorDisplayName"`
			} `json:"miniature"`
			ResumableUpload struct {
				MaxChunkSize Int `json:"maxChunkSize"`
			} `json:"resumableUpload"`
		} `json:"videos"`
		Menu struct {
			Login struct {
				RedirectOnSingleExternalAuth bool `json:"redirectOnSingleExternalAuth"`
			} `json:"login"`
		} `json:"menu"`
	} `json:"client"`
	Defaults struct {
		Publish struct {
			DownloadEnabled bool `json:"downloadEnabled"`
			CommentsPolicy  Int  `json:"commentsPolicy"`
			CommentsEnabled bool `json:"commentsEnabled"`
			Privacy         Int  `json:"privacy"`
			Licence         *Int `json:"licence"`
		} `json:"publish"`
		P2P struct {
			Webapp struct {
				Enabled bool `json:"enabled"`
			} `json:"webapp"`
			Embed struct {
				Enabled bool `json:"enabled"`
			} `json:"embed"`
		} `json:"p2p"`
	} `json:"defaults"`
	Webadmin struct {
		Configuration struct {
			Edition struct {
				Allowed bool `json:"allowed"`
			} `json:"edition"`
		} `json:"configuration"`
	} `json:"webadmin"`
	Instance struct {
		Name               string `json:"name"`
		ShortDescription   string `json:"shortDescription"`
		IsNSFW             bool   `json:"isNSFW"`
		DefaultNSFWPolicy  string `json:"defaultNSFWPolicy"`
		DefaultClientRoute string `json:"defaultClientRoute"`
		Customizations     struct {
			JavaScript string `json:"javascript"`
			CSS        string `json:"css"`
		} `json:"customizations"`
		Avatars List[ActorImage] `json:"avatars"`
		Banners List[ActorImage] `json:"banners"`
	} `json:"instance"`
	Search struct {
		RemoteURI struct {
			Users     bool `json:"users"`
			Anonymous bool `json:"anonymous"`
		} `json:"remoteUri"`
		SearchIndex struct {
			Enabled            bool   `json:"enabled"`
			URL                string `json:"url"`
			DisableLocalSearch bool   `json:"disableLocalSearch"`
			IsDefaultSearch    bool   `json:"isDefaultSearch"`
		} `json:"searchIndex"`
	} `json:"search"`
	Plugin struct {
		Registered               List[any] `json:"registered"`
		RegisteredExternalAuths  List[any] `json:"registeredExternalAuths"`
		RegisteredIdAndPassAuths List[any] `json:"registeredIdAndPassAuths"`
	} `json:"plugin"`
	Theme struct {
		Registered List[any]   `json:"registered"`
		BuiltIn    List[Named] `json:"builtIn"`
		Default    string      `json:"default"`
	} `json:"theme"`
	Email struct {
		Enabled bool `json:"enabled"`
	} `json:"email"`
	ContactForm struct {
		Enabled bool `json:"enabled"`
	} `json:"contactForm"`
	ServerVersion string `json:"serverVersion"`
	ServerCommit  string `json:"serverCommit"`
	Transcoding   struct {
		RemoteRunners struct {
			Enabled bool `json:"enabled"`
		} `json:"remoteRunners"`
		HLS struct {
			Enabled bool `json:"enabled"`
		} `json:"hls"`
		WebVideos struct {
			Enabled bool `json:"enabled"`
		} `json:"web_videos"`
		EnabledResolutions List[Int]    `json:"enabledResolutions"`
		Profile            string       `json:"profile"`
		AvailableProfiles  List[string] `json:"availableProfiles"`
	} `json:"transcoding"`
	Live struct {
		Enabled        bool `json:"enabled"`
		AllowReplay    bool `json:"allowReplay"`
		LatencySetting struct {
			Enabled bool `json:"enabled"`
		} `json:"latencySetting"`
		MaxDuration      Int `json:"maxDuration"`
		MaxInstanceLives Int `json:"maxInstanceLives"`
		MaxUserLives     Int `json:"maxUserLives"`
		Transcoding      struct {
			Enabled       bool `json:"enabled"`
			RemoteRunners struct {
				Enabled bool `json:"enabled"`
			} `json:"remoteRunners"`
			EnabledResolutions List[Int]    `json:"enabledResolutions"`
			Profile            string       `json:"profile"`
			AvailableProfiles  List[string] `json:"availableProfiles"`
		} `json:"transcoding"`
		RTMP struct {
			Port Int `json:"port"`
		} `json:"rtmp"`
	} `json:"live"`
	VideoStudio struct {
		Enabled       bool `json:"enabled"`
		RemoteRunners struct {
			Enabled bool `json:"enabled"`
		} `json:"remoteRunners"`
	} `json:"videoStudio"`
	VideoFile struct {
		Update struct {
			Enabled bool `json:"enabled"`
		} `json:"update"`
	} `json:"videoFile"`
	VideoTranscription struct {
		Enabled       bool `json:"enabled"`
		RemoteRunners struct {
			Enabled bool `json:"enabled"`
		} `json:"remoteRunners"`
	} `json:"videoTranscription"`
	Import struct {
		Videos struct {
			HTTP struct {
				Enabled bool `json:"enabled"`
			} `json:"http"`
			Torrent struct {
				Enabled bool `json:"enabled"`
			} `json:"torrent"`
		} `json:"videos"`
		VideoChannelSynchronization struct {
			Enabled bool `json:"enabled"`
		} `json:"videoChannelSynchronization"`
		Users struct {
			Enabled bool `json:"enabled"`
		} `json:"users"`
	} `json:"import"`
	Export struct {
		Users struct {
			Enabled           bool `json:"enabled"`
			ExportExpiration  Int  `json:"exportExpiration"`
			MaxUserVideoQuota Int  `json:"maxUserVideoQuota"`
		} `json:"users"`
	} `json:"export"`
	AutoBlacklist struct {
		Videos struct {
			OfUsers struct {
				Enabled bool `json:"enabled"`
			} `json:"ofUsers"`
		} `json:"videos"`
	} `json:"autoBlacklist"`
	Avatar struct {
		File struct {
			Size struct {
				Max Int `json:"max"`
			} `json:"size"`
			Extensions List[string] `json:"extensions"`
		} `json:"file"`
	} `json:"avatar"`
	Banner struct {
		File struct {
			Size struct {
				Max Int `json:"max"`
			} `json:"size"`
			Extensions List[string] `json:"extensions"`
		} `json:"file"`
	} `json:"banner"`
	Video struct {
		Image struct {
			Extensions List[string] `json:"extensions"`
			Size       struct {
				Max Int `json:"max"`
			} `json:"size"`
		} `json:"image"`
		File struct {
			Extensions List[string] `json:"extensions"`
		} `json:"file"`
	} `json:"video"`
	VideoCaption struct {
		File struct {
			Size struct {
				Max Int `json:"max"`
			} `json:"size"`
			Extensions List[string] `json:"extensions"`
		} `json:"file"`
	} `json:"videoCaption"`
	User struct {
		VideoQuota      Int `json:"videoQuota"`
		VideoQuotaDaily Int `json:"videoQuotaDaily"`
	} `json:"user"`
	VideoChannels struct {
		MaxPerUser Int `json:"maxPerUser"`
	} `json:"videoChannels"`
	Trending struct {
		Videos struct {
			IntervalDays Int `json:"intervalDays"`
			Algorithms   struct {
				Enabled List[string] `json:"enabled"`
				Default string       `json:"default"`
			} `json:"algorithms"`
		} `json:"videos"`
	} `json:"trending"`
	Tracker struct {
		Enabled bool `json:"enabled"`
	} `json:"tracker"`
	Followings struct {
		Instance struct {
			AutoFollowIndex struct {
				IndexURL string `json:"indexUrl"`
			} `json:"autoFollowIndex"`
		} `json:"instance"`
	} `json:"followings"`
	BroadcastMessage struct {
		Enabled     bool   `json:"enabled"`
		Message     string `json:"message"`
		Level       string `json:"level"`
		Dismissable bool   `json:"dismissable"`
	} `json:"broadcastMessage"`
	Homepage struct {
		Enabled bool `json:"enabled"`
	} `json:"homepage"`
	OpenTelemetry struct {
		Metrics struct {
			Enabled               bool `json:"enabled"`
			PlaybackStatsInterval Int  `json:"playbackStatsInterval"`
		} `json:"metrics"`
	} `json:"openTelemetry"`
	Views struct {
		Videos struct {
			WatchingInterval struct {
				Anonymous Int `json:"anonymous"`
				Users     Int `json:"users"`
			} `json:"watchingInterval"`
		} `json:"videos"`
	} `json:"views"`
	Storyboards struct {
		Enabled bool `json:"enabled"`
	} `json:"storyboards"`
	WebRTC struct {
		StunServers List[string] `json:"stunServers"`
	} `json:"webrtc"`
	Signup struct {
		Allowed                   bool `json:"allowed"`
		AllowedForCurrentIP       bool `json:"allowedForCurrentIP"`
		MinimumAge                Int  `json:"minimumAge"`
		RequiresApproval          bool `json:"requiresApproval"`
		RequiresEmailVerification bool `json:"requiresEmailVerification"`
	} `json:"signup"`
}

// Named is an object that has a name alone.
type Named struct {
	Name string `json:"name"`
}
