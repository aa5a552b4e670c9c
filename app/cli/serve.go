// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"shoal/app/config"
	"shoal/app/control"
	"shoal/app/core"
)

// serveCommand is instance mode without a window.
type serveCommand struct {
	Listen string `placeholder:"HOST:PORT" help:"Where the web server listens. Port 0 picks one. Default: the settings'."`
	URL    string `name:"url" placeholder:"PUBLIC_URL" help:"The instance's public address; it cannot change later. Default: the one fixed before."`
	Dev    bool   `help:"Allow http, ports, loopback and private addresses, for development. Refused for a public host name."`
}

// readyInstance is the event of an instance whose every endpoint answers.
type readyInstance struct {
	Event   string `json:"event"`
	URL     string `json:"url"`
	Listen  string `json:"listen"`
	Actor   string `json:"actor"`
	Account string `json:"account"`
	Channel string `json:"channel"`
}

func (c *serveCommand) run(ctx context.Context, r *run) error {
	if c.Listen != "" {
		_, port, err := net.SplitHostPort(c.Listen)
		if _, convErr := strconv.ParseUint(port, 10, 16); err != nil || convErr != nil {
			return &usageError{fmt.Sprintf("--listen %q is no HOST:PORT: write one such as 127.0.0.1:9000", c.Listen)}
		}
	}
	if client, err := control.Dial(ctx, r.paths.Data); err == nil {
		_ = client.Close() // nothing was asked
		return &core.Error{Code: core.CodeInUse, Message: fmt.Sprintf("the data folder %s is in use by another Shoal: stop that one, or name another folder with --data", r.paths.Data)}
	}
	stored := r.store.Get().Instance
	url, listen := c.URL, c.Listen
	if url == "" {
		url = stored.URL
	}
	if listen == "" {
		listen = stored.Listen
	}
	o := core.Options{
		Instance: &core.InstanceOptions{Listen: c.Listen, URL: c.URL, Dev: c.Dev},
		Local:    core.OnThisMachine(url) || url == "" && core.OnThisMachine(listen),
		Resume:   true,
	}
	return r.withApp(ctx, o, func(ctx context.Context, app *core.App) error {
		i := app.Instance()
		if err := app.Config().Update(func(cfg *config.Config) {
			cfg.Instance.Listen, cfg.Instance.URL = listen, i.URL()
			cfg.Instance.Dev = cfg.Instance.Dev || c.Dev
		}); err != nil {
			r.out.note("shoal: the settings were not saved, so shoal publish needs this process running: %s", oneLine(err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-i.Ready():
		}
		r.out.event(readyInstance{
			Event: "ready", URL: i.URL(), Listen: i.Listen(), Actor: i.ActorURL(), Account: i.AccountURL(), Channel: i.ChannelURL(),
		})
		r.out.fact("Serving %s on %s. Stop with Ctrl-C.", i.URL(), i.Listen())
		<-ctx.Done()
		return nil
	})
}
